/** Carries out repairs. Nothing here waits for health: the next pass sees what became of it. */
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { targetUnit } from './names.ts'
import type { Generation } from './record.ts'
import type { Repair } from './repairs.ts'
import { disableTarget, enableTarget, installUnits } from './unit-store.ts'

export const act: {
  readonly [K in Repair]: (context: Context, generation: Generation) => Promise<void>
} = {
  async 'rewrite-units'({ options, deps }, generation) {
    await installUnits(options, generation)
    await deps.systemd.daemonReload()
  },
  reload,
  async enable({ options }, { spec }) {
    await enableTarget(options, spec.id)
  },
  async disable({ options }, { spec }) {
    await disableTarget(options, spec.id)
  },
  async stop({ deps }, generation) {
    await deps.systemd.stop(unitsOf(generation))
  },
  async 'remove-containers'({ deps }, { spec }) {
    for (const { name, labels, status } of await deps.podman.containers()) {
      const isOurs = labels['app.id'] === spec.id && status !== 'running'
      if (isOurs) await deps.podman.removeContainer(name)
    }
  },
  /** A network unit stays `active (exited)` when its network was removed behind its back. */
  async 'end-networks'({ deps }, { spec }) {
    await deps.systemd.stop(spec.networks.map(({ unit }) => unit))
  },
  async start({ deps }, generation) {
    const units = unitsOf(generation)
    for (const unit of units) await deps.systemd.resetFailed(unit)
    await deps.systemd.start(units)
  },
}

/**
 * For units that systemd does not know although their files are right.
 * @throws OrchestratorError `UNITS_REFUSED` when it does not know them afterwards either
 */
async function reload(context: Context, { spec }: Generation): Promise<void> {
  const { deps, options, findings } = context
  await deps.systemd.daemonReload()
  const states = await deps.systemd.units(spec.components.map(({ unit }) => unit))
  const missing = spec.components.filter(({ unit }) => states.get(unit)?.active === 'not-found')
  const [first] = missing
  if (first === undefined) {
    findings.report(`units of ${spec.id}`, [])
    return
  }
  const said = (await deps.quadlet.dryRun(options.unitFolder))?.problems ?? []
  const evidence = said.filter(text => text.includes(`app-${spec.id}`))
  findings.report(`units of ${spec.id}`, [
    {
      ...{ code: 'quadlet.rejected', app: spec.id, component: first.name, severity: 'error' },
      text: `after a reload systemd does not know ${missing.map(({ unit }) => unit).join(', ')}`,
      evidence,
      fix: 'archy doctor checks the generator; "podman --version" must be the one the units were made for',
    },
  ])
  throw new OrchestratorError('UNITS_REFUSED', `systemd does not know ${first.unit}: ${evidence}`)
}

function unitsOf({ spec }: Generation): readonly string[] {
  return [targetUnit(spec.id), ...spec.components.map(({ unit }) => unit)]
}
