/** Asks the host how apps are doing. One read of systemd and one of Podman, however many apps. */
import { bareUnitStates, isBareUnit } from './adopt/bare.ts'
import type { Observed } from './component-status.ts'
import type { Context } from './context.ts'
import { targetUnit } from './names.ts'
import type { ContainerState, UnitState } from './ports.ts'
import type { AppSpec } from './spec.ts'

export interface Snapshot {
  readonly units: ReadonlyMap<string, UnitState>
  readonly containers: readonly ContainerState[]
}

/** @throws HostError when either read fails; a half answer is never returned. */
export async function takeSnapshot(
  { deps }: Context,
  specs: readonly AppSpec[],
): Promise<Snapshot> {
  const units = await deps.systemd.units(snapshotUnits(specs))
  return snapshotOf(specs, units, await deps.podman.containers())
}

/** What systemd is asked for. */
export function snapshotUnits(specs: readonly AppSpec[]): readonly string[] {
  return unitsOf(specs).filter(unit => !isBareUnit(unit))
}

/** Containers of others that no unit runs are seen as if each had one. */
export function snapshotOf(
  specs: readonly AppSpec[],
  units: Snapshot['units'],
  containers: Snapshot['containers'],
): Snapshot {
  const bare = bareUnitStates(unitsOf(specs), containers)
  return { units: bare.size === 0 ? units : new Map([...units, ...bare]), containers }
}

function unitsOf(specs: readonly AppSpec[]): readonly string[] {
  return specs.flatMap(({ id, components, networks }) => [
    targetUnit(id),
    ...[...components, ...networks].map(({ unit }) => unit),
  ])
}

/** Adds the answers of the network probes of one app; only components that are up are asked. */
export async function observeApp(
  { deps }: Context,
  spec: AppSpec,
  snapshot: Snapshot,
): Promise<Observed> {
  const answers = await Promise.all(
    spec.components.map(async ({ name, unit, probe }) => {
      const isUp = snapshot.units.get(unit)?.active === 'active'
      if (!isUp || probe.kind === 'exec' || probe.kind === 'none') return undefined
      const isAnswering =
        probe.kind === 'http'
          ? await deps.endpoints.answersHttp(probe.port, probe.path, probe.timeoutMs)
          : await deps.endpoints.answersTcp(probe.port, probe.timeoutMs)
      return isAnswering ? name : undefined
    }),
  )
  // What somebody else made has none of our labels, but it has the name that the app knows it by.
  const foreign = new Set(spec.components.map(({ container }) => container))
  return {
    units: snapshot.units,
    containers: snapshot.containers.filter(
      ({ labels, name }) => labels['app.id'] === spec.id || foreign.has(name),
    ),
    answering: new Set(answers.filter(name => name !== undefined)),
  }
}
