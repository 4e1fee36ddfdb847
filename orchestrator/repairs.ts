/** What one look at an app calls for, so that it becomes as its owner wants it. Pure and total. */
import { targetUnit } from './names.ts'
import type { ContainerState, UnitState } from './ports.ts'
import type { AppRecord } from './record.ts'

export type Repair =
  | 'rewrite-units'
  | 'reload'
  | 'enable'
  | 'disable'
  | 'stop'
  | 'remove-containers'
  | 'end-networks'
  | 'start'

export interface Found {
  readonly units: ReadonlyMap<string, UnitState>
  /** Those with the label of this app. */
  readonly containers: readonly ContainerState[]
  readonly networks: readonly string[]
  readonly areUnitsDifferent: boolean
  readonly isEnabled: boolean
  /** Its data and its units may not belong together; only an operation ends that. */
  readonly isHeld: boolean
  /** An app that it needs is not as it must be. What runs already goes on. */
  readonly isBlocked: boolean
}

const DOWN: readonly string[] = ['inactive', 'failed', 'not-found']

/** In order. An app that is being worked on, or is not installed, gets none; one that its owner stopped is never started. */
export function planRepairs(record: AppRecord, found: Found): readonly Repair[] {
  const { committed, operation, retained, desired, adopted } = record
  if (committed === undefined || operation !== undefined || retained) return []
  // What others started is theirs to repair.
  if (adopted !== undefined) return []
  const states = committed.spec.components.map(
    ({ unit }) => found.units.get(unit)?.active ?? 'not-found',
  )
  const repairs: Repair[] = found.areUnitsDifferent ? ['rewrite-units'] : []
  return desired === 'stopped'
    ? [...repairs, ...towardsStopped(record.id, found, states)]
    : [...repairs, ...towardsRunning(record, found, states)]
}

function towardsStopped(
  id: string,
  found: Found,
  components: readonly string[],
): readonly Repair[] {
  // Somebody started the target: it stays up when its components end.
  const states = [...components, found.units.get(targetUnit(id))?.active ?? 'not-found']
  const isUp = states.some(state => !DOWN.includes(state) && state !== 'deactivating')
  const isDown = states.every(state => DOWN.includes(state))
  const hasRest = found.containers.some(({ status }) => status !== 'running')
  return [
    ...(found.isEnabled ? (['disable'] as const) : []),
    ...(isUp ? (['stop'] as const) : []),
    ...(isDown && hasRest ? (['remove-containers'] as const) : []),
  ]
}

function towardsRunning(
  { committed }: AppRecord,
  found: Found,
  states: readonly string[],
): readonly Repair[] {
  if (found.isHeld) return []
  // What waits for another component to come up is `inactive` until then.
  const isDown = states.some(state => DOWN.includes(state)) && !states.includes('activating')
  if (isDown && found.isBlocked) return []
  const isUnknown = states.includes('not-found') && !found.areUnitsDifferent
  const lost = (committed?.spec.networks ?? []).filter(({ name }) => !found.networks.includes(name))
  // Without its network a container never starts, however often systemd tries.
  const isHopeless = lost.length > 0 && !found.isBlocked && isTriedAgain(committed, found.units)
  const networks = lost.map(({ unit }) => found.units.get(unit)?.active ?? 'not-found')
  // Being made, or on its way down.
  const mustWait = networks.some(state => state !== 'active' && !DOWN.includes(state))
  const mustAct = (isDown || isHopeless) && !mustWait
  // The unit of a network that was removed stays `active (exited)`; a start before it is down would only call its stop off.
  const step = networks.includes('active') ? 'end-networks' : 'start'
  return [
    ...(found.isEnabled ? [] : (['enable'] as const)),
    ...(isUnknown ? (['reload'] as const) : []),
    ...(mustAct ? ([step] as const) : []),
  ]
}

/** A component ended before, and systemd is about to start it once more. */
export function isTriedAgain(committed: AppRecord['committed'], units: Found['units']): boolean {
  const states = committed?.spec.components.map(({ unit }) => units.get(unit)) ?? []
  return states.some(unit => unit?.active === 'activating' && unit.restarts > 0)
}
