/** What the outside sees of an app, from its record and what the host reported. Pure and total. */
import type { Finding } from './findings.ts'
import type { ContainerState, UnitState } from './ports.ts'
import type { AppRecord, Operation } from './record.ts'
import type { AppSpec, ComponentSpec } from './spec.ts'
import { updateStatus } from './update-status.ts'

export type AppState =
  | 'installing'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'updating'
  | 'uninstalling'
  /** Should run, and waits for another app. */
  | 'blocked'
  | 'failed'
  | 'retained'

export type Health = 'healthy' | 'starting' | 'unhealthy' | 'unknown'

export interface ComponentStatus {
  readonly name: string
  readonly state: 'running' | 'starting' | 'stopping' | 'stopped' | 'failed'
  readonly health: Health
  /** How it ended last, when it did not run to the owner's wish. */
  readonly ended?: {
    /** `out-of-memory`: the kernel ended it at its limit. `too-slow`: it did not get ready in its time. */
    readonly cause: 'crash' | 'out-of-memory' | 'too-slow' | 'killed'
    readonly exitStatus: number
    /** In a row, by systemd. */
    readonly restarts: number
  }
}

export interface AppStatus {
  readonly id: string
  readonly title: string
  readonly version: string
  /** 0 before anything was committed. */
  readonly seq: number
  /** Whose app it is; also known of one whose data is retained. */
  readonly publisher?: string
  /** Address of its manifest. */
  readonly manifest?: string
  readonly state: AppState
  /** The worst of its components; `unknown` when nothing runs. */
  readonly health: Health
  readonly desired: 'running' | 'stopped'
  readonly components: readonly ComponentStatus[]
  readonly ports: readonly {
    readonly component: string
    readonly host: number
    readonly container: number
    readonly protocol: 'tcp' | 'udp'
  }[]
  readonly interfaces: readonly {
    readonly id: string
    readonly title: string
    readonly protocol: string
    readonly port: number
    readonly path: string
  }[]
  /** True when the host could not be asked: the rest is what was known last. */
  readonly isStale: boolean
  readonly note?: string
  /** What the node noticed of it, the worst first. */
  readonly findings: readonly Finding[]
  /** What it may do on this machine, for people. */
  readonly permissions?: readonly string[]
  /** An update that may do more than what is installed; it waits for `archy app approve`. */
  readonly pendingConsent?: {
    readonly version: string
    readonly added: readonly string[]
    readonly removed: readonly string[]
  }
  /** Until then a failure takes the last update back by itself. */
  readonly probation?: { readonly endsMs: number }
  /** Where `archy app rollback` leads. */
  readonly previousVersion?: string
  /** Data that a rollback put aside. */
  readonly setAside?: readonly {
    readonly set: string
    readonly path: string
    readonly bytes: number
  }[]
  /** It runs in containers that this node did not make. */
  readonly adopted?: { readonly containers: readonly string[] }
  readonly error?: { readonly code: string; readonly message: string }
}

/** What the host said about one app. */
export interface Observed {
  readonly units: ReadonlyMap<string, UnitState>
  readonly containers: readonly ContainerState[]
  /** Components whose network probe answered. */
  readonly answering: ReadonlySet<string>
}

/** Restarts by systemd after which an app counts as failed and no longer as starting. */
export const RESTARTS_MAX = 3

export function componentStatus(component: ComponentSpec, observed: Observed): ComponentStatus {
  const unit = observed.units.get(component.unit)
  const seen = stateOf(unit)
  const health = healthOf(component, seen, observed)
  const state = isLooping(unit, seen, health) ? 'failed' : seen
  const ended = state === 'failed' || state === 'starting' ? endOf(unit) : undefined
  return {
    name: component.name,
    state,
    health: state === 'failed' ? 'unhealthy' : health,
    ...(ended === undefined ? {} : { ended }),
  }
}

/** Between two of its ends it is up for a moment, and then on its way down: neither is running, nor a start like others. */
function isLooping(
  unit: UnitState | undefined,
  seen: ComponentStatus['state'],
  health: Health,
): boolean {
  const isMoment = seen === 'stopping' || (seen === 'running' && health !== 'healthy')
  return isMoment && (unit?.restarts ?? 0) >= RESTARTS_MAX
}

const causes: Readonly<Record<string, NonNullable<ComponentStatus['ended']>['cause']>> = {
  'oom-kill': 'out-of-memory',
  timeout: 'too-slow',
  signal: 'killed',
}

/** Nothing for one that never ended, or ended well. */
function endOf(unit: UnitState | undefined): ComponentStatus['ended'] {
  if (unit === undefined || (unit.active !== 'failed' && unit.restarts === 0)) return undefined
  const { result, restarts, exitStatus = 0 } = unit
  return { cause: causes[result] ?? 'crash', exitStatus, restarts }
}

function stateOf(unit: UnitState | undefined): ComponentStatus['state'] {
  if (unit === undefined) return 'stopped'
  if (unit.active === 'activating') return unit.restarts >= RESTARTS_MAX ? 'failed' : 'starting'
  return stateByUnit[unit.active] ?? 'stopped'
}

const stateByUnit: Readonly<Record<string, ComponentStatus['state']>> = {
  active: 'running',
  reloading: 'running',
  deactivating: 'stopping',
  failed: 'failed',
}

function healthOf(
  component: ComponentSpec,
  state: ComponentStatus['state'],
  observed: Observed,
): Health {
  if (state === 'starting') return 'starting'
  if (state === 'failed') return 'unhealthy'
  if (state !== 'running') return 'unknown'
  if (component.probe.kind === 'none') return 'healthy'
  if (component.probe.kind !== 'exec') {
    return observed.answering.has(component.name) ? 'healthy' : 'unhealthy'
  }
  return observed.containers.find(({ name }) => name === component.container)?.health ?? 'unknown'
}

/** What only this run of the node knows of an app. */
export interface Circumstances {
  /** `waiting`: nobody works on it now. `overdue`: it takes longer than it ever should. */
  readonly operation?: 'under-way' | 'waiting' | 'overdue'
  /** Why it was not started. */
  readonly blockedBy?: string | undefined
  readonly note?: string
  readonly findings?: readonly Finding[]
}

export function appStatus(
  record: AppRecord,
  observed: Observed,
  circumstances: Circumstances = {},
): AppStatus {
  const shown = shownGeneration(record)
  const spec = shown?.spec
  const components = spec?.components.map(each => componentStatus(each, observed)) ?? []
  return {
    id: record.id,
    title: spec?.title ?? record.title,
    version: spec?.version ?? '',
    seq: shown?.seq ?? 0,
    ...publisherOf(record),
    ...(shown === undefined ? {} : { manifest: shown.manifest }),
    state: projectState(record, components, circumstances),
    health: worst(components.map(each => each.health)),
    desired: record.desired,
    components,
    ports: (spec?.ports ?? []).map(({ component, host, container, protocol }) => ({
      component,
      host,
      container,
      protocol,
    })),
    interfaces: spec?.interfaces ?? [],
    isStale: false,
    ...noteOf(record, circumstances.note),
    findings: [...(circumstances.findings ?? [])].sort(bySeverity),
    ...updateStatus(record),
    ...adoptionOf(record),
    ...(record.problem === undefined ? {} : { error: record.problem }),
  }
}

function adoptionOf({ adopted }: AppRecord): Pick<AppStatus, 'adopted'> {
  if (adopted === undefined) return {}
  return { adopted: { containers: adopted.containers.map(({ name }) => name) } }
}

function publisherOf(record: AppRecord): { publisher?: string } {
  const publisher = shownGeneration(record)?.publisher ?? record.publisher
  return publisher === undefined ? {} : { publisher }
}

function noteOf({ wasKilled }: AppRecord, note: string | undefined): { note?: string } {
  if (note !== undefined) return { note }
  return wasKilled
    ? { note: 'a component was killed after its grace, or ended with a status other than 0' }
    : {}
}

const SEVERITIES: readonly Finding['severity'][] = ['error', 'warning', 'info']
const bySeverity = (a: Finding, b: Finding): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)

/** The generation whose units are in place: during a first install the new one. */
export function shownGeneration(record: AppRecord): AppRecord['committed'] {
  const { operation, committed } = record
  return operation?.kind === 'switch' ? operation.to : committed
}

/** A transitional state belongs to an operation that somebody works on; one that nobody ends is a failure. */
function projectState(
  record: AppRecord,
  components: readonly ComponentStatus[],
  { operation = 'under-way', blockedBy }: Circumstances,
): AppState {
  const kind = record.operation?.kind
  if (kind !== undefined) return operation === 'under-way' ? transition(record, kind) : 'failed'
  if (record.retained) return 'retained'
  if (record.committed === undefined) return 'failed'
  return restingState(record.desired, components, blockedBy !== undefined)
}

function transition({ committed }: AppRecord, kind: Operation['kind']): AppState {
  const whileNew: AppState = committed === undefined ? 'installing' : 'updating'
  const states: Readonly<Record<Operation['kind'], AppState>> = {
    prepare: whileNew,
    switch: whileNew,
    rollback: 'updating',
    rotate: 'updating',
    'take-over': 'updating',
    uninstall: 'uninstalling',
    purge: 'uninstalling',
    stop: 'stopping',
    start: 'starting',
    restart: 'starting',
  }
  return states[kind]
}

/** Without an operation: what runs counts, and an owner's stop is `stopped` however Podman words it. */
function restingState(
  desired: 'running' | 'stopped',
  components: readonly ComponentStatus[],
  isBlocked: boolean,
): AppState {
  const has = (state: ComponentStatus['state']) => components.some(each => each.state === state)
  if (desired === 'stopped') {
    if (has('running') || has('starting')) return 'running'
    return has('stopping') ? 'stopping' : 'stopped'
  }
  if (has('failed')) return 'failed'
  // On its way down by itself means on its way up again: systemd restarts it. Others may wait for it.
  if (has('starting') || has('stopping')) return 'starting'
  if (has('stopped')) return isBlocked ? 'blocked' : 'failed'
  return 'running'
}

/** Healthy only when every component is. */
function worst(all: readonly Health[]): Health {
  for (const health of ['unhealthy', 'starting', 'unknown'] as const) {
    if (all.includes(health)) return health
  }
  return all.length === 0 ? 'unknown' : 'healthy'
}

/** True when the app is up and every check passes. */
export function isHealthy(spec: AppSpec, observed: Observed): boolean {
  return spec.components.every(each => {
    const { state, health } = componentStatus(each, observed)
    return state === 'running' && health === 'healthy'
  })
}

/** A component that will not come up by itself any more, with the reason; `undefined` while there is hope. */
export function hopeless(spec: AppSpec, observed: Observed): string | undefined {
  for (const { name, unit } of spec.components) {
    const state = observed.units.get(unit)
    if (state?.active === 'not-found') return `${name}: systemd does not know ${unit}`
    if (state?.active === 'failed') return `${name}: ${unit} failed (${state.result})`
    if ((state?.restarts ?? 0) >= RESTARTS_MAX) {
      return `${name}: ended ${state?.restarts} times in a row`
    }
  }
  return undefined
}
