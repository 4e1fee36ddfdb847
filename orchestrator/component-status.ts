/** How one component of an app is, from what the host reported. Pure and total. */
import type { ContainerState, UnitState } from './ports.ts'
import type { AppSpec, ComponentSpec } from './spec.ts'

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

/** Healthy only when every component is. */
export function worst(all: readonly Health[]): Health {
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
