/** What the outside sees of an app, from its record and what the host reported. Pure and total. */
import {
  type ComponentStatus,
  componentStatus,
  type Health,
  type Observed,
  worst,
} from './component-status.ts'
import type { Finding } from './findings.ts'
import type { AppRecord, Operation } from './record.ts'
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
