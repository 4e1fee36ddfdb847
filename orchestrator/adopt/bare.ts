/** Containers without a unit, seen as if each had one: so the status of an app need not know the difference. Pure. */
import type { ContainerState, UnitState } from '../ports.ts'

const PREFIX = 'bare-container:'

export const bareUnit = (container: string): string => `${PREFIX}${container}`

export const isBareUnit = (unit: string): boolean => unit.startsWith(PREFIX)

/** What systemd would say of each of these units, told from the containers. */
export function bareUnitStates(
  units: readonly string[],
  containers: readonly ContainerState[],
): ReadonlyMap<string, UnitState> {
  const byName = new Map(containers.map(each => [each.name, each]))
  return new Map(
    units
      .filter(isBareUnit)
      .map(unit => [unit, stateOf(byName.get(unit.slice(PREFIX.length)))] as const),
  )
}

function stateOf(container: ContainerState | undefined): UnitState {
  const nothing = { sub: '', result: 'success', restarts: 0 }
  if (container === undefined) return { ...nothing, active: 'not-found' }
  if (['running', 'paused'].includes(container.status)) return { ...nothing, active: 'active' }
  if (container.status === 'stopping') return { ...nothing, active: 'deactivating' }
  return { ...nothing, active: 'inactive', exitStatus: container.exitCode }
}
