/** One pass over all apps: look once, then repair each app that needs it. A look that fails changes nothing. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import type { Locks } from './lock.ts'
import { targetUnit } from './names.ts'
import { type Snapshot, takeSnapshot } from './observe.ts'
import { planRepairs, type Repair } from './plan.ts'
import { type AppRecord, type Generation, readRecord } from './record.ts'
import { tidy } from './tidy.ts'
import { enableTarget, installUnits, isEnabled, unitsDiffer } from './unit-store.ts'

export async function reconcileAll(
  context: Context,
  locks: Locks,
  records: readonly AppRecord[],
  signal: AbortSignal,
): Promise<void> {
  const { deps } = context
  const specs = records.flatMap(record => record.committed?.spec ?? [])
  let snapshot: Snapshot
  let networks: readonly string[]
  try {
    snapshot = await takeSnapshot(context, specs)
    networks = await deps.podman.networkNames()
  } catch (error) {
    deps.log.warn('the host did not answer; nothing is repaired', { reason: messageOf(error) })
    return
  }
  // Once per run of the node: a crash may have come between an operation's last word in the record and its tidying up.
  const isTidying = !context.storage.isTidy
  context.storage.isTidy = true
  for (const { id } of records) {
    if (signal.aborted) return
    // Somebody works on it: what was seen may no longer be true.
    if (locks.isBusy(id)) {
      context.storage.isTidy &&= !isTidying
      continue
    }
    try {
      await locks.run(id, async () => {
        if (isTidying) await tidyApp(context, id)
        await reconcileApp(context, id, snapshot, networks)
      })
    } catch (error) {
      deps.log.error('app not repaired', { app: id, reason: messageOf(error) })
    }
  }
}

async function tidyApp(context: Context, id: string): Promise<void> {
  const record = await readRecord(context, id)
  if (record === undefined || record.operation !== undefined) return
  await tidy(context, record)
}

async function reconcileApp(
  context: Context,
  id: string,
  snapshot: Snapshot,
  networks: readonly string[],
): Promise<void> {
  const { options } = context
  const record = await readRecord(context, id)
  if (record?.committed === undefined) return
  const repairs = planRepairs(record, {
    snapshot,
    networks,
    areUnitsDifferent: await unitsDiffer(options, record.committed),
    isEnabled: await isEnabled(options, id),
  })
  for (const repair of repairs) {
    context.deps.log.info('repairing an app', { app: id, repair })
    await act[repair](context, record.committed)
  }
}

/** Nothing here waits for health: the next pass sees what became of it. */
const act: {
  readonly [K in Repair]: (context: Context, generation: Generation) => Promise<void>
} = {
  async 'rewrite-units'({ options, deps }, generation) {
    await installUnits(options, generation)
    await deps.systemd.daemonReload()
  },
  async enable({ options }, { spec }) {
    await enableTarget(options, spec.id)
  },
  async 'renew-network'({ deps }, { spec }) {
    await deps.systemd.stop(spec.networks.map(({ unit }) => unit))
  },
  async start({ deps }, { spec }) {
    const units = [targetUnit(spec.id), ...spec.components.map(({ unit }) => unit)]
    for (const unit of units) await deps.systemd.resetFailed(unit)
    await deps.systemd.start(units)
  },
}
