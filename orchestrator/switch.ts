/** Moves an app from one generation to another, or back: one path for install, update and rollback. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import type { Progress } from './images.ts'
import { imagePrefix } from './names.ts'
import { type AppRecord, type Generation, problemOf, writeRecord } from './record.ts'
import { startApp, stopApp } from './run-app.ts'
import type { AppSpec } from './spec.ts'
import { enableTarget, installUnits } from './unit-store.ts'

export interface Work {
  readonly onProgress: Progress
  /** Ends the work when the node stops; what is journaled is finished at the next start. */
  readonly signal: AbortSignal
}

/** How many refused releases are remembered; older ones are below the installed number by then. */
const REJECTED_COUNT_MAX = 16

/** Puts the generation of a `switch` operation into place, starts it, and commits it or goes back. */
export async function switchTo(context: Context, record: AppRecord, work: Work): Promise<void> {
  const operation = record.operation
  if (operation?.kind !== 'switch') return
  const { to } = operation
  await writeRecord(context, record)
  try {
    await putInPlace(context, record, to, record.committed?.spec, work)
  } catch (error) {
    work.signal.throwIfAborted()
    if (record.committed === undefined) {
      // A first install stays: systemd goes on trying, and there is nothing to go back to.
      await commit(context, { ...record, problem: problemOf(error) }, to)
      throw error
    }
    const rolling: AppRecord = {
      ...record,
      operation: {
        kind: 'rollback',
        from: to,
        reason: messageOf(error),
        startedMs: context.deps.clock.nowMs(),
      },
    }
    await rollBack(context, rolling, work)
    return
  }
  await commit(context, record, to)
}

/** @throws OrchestratorError `UPDATE_ROLLED_BACK` always, once the old generation is back. */
export async function rollBack(context: Context, record: AppRecord, work: Work): Promise<void> {
  const { operation, committed } = record
  if (operation?.kind !== 'rollback' || committed === undefined) return
  const { from, reason } = operation
  await writeRecord(context, record)
  context.deps.log.warn('update did not get healthy; going back', {
    app: record.id,
    from: from.spec.version,
    to: committed.spec.version,
    reason,
  })
  work.onProgress(`going back to ${committed.spec.version}`)
  let after = ''
  try {
    await putInPlace(context, record, committed, from.spec, work)
  } catch (error) {
    work.signal.throwIfAborted()
    after = `; the old version is back in place but: ${messageOf(error)}`
  }
  const problem = new OrchestratorError(
    'UPDATE_ROLLED_BACK',
    `${record.id} ${from.spec.version} was taken back to ${committed.spec.version}: ${reason}${after}`,
  )
  const { operation: _, ...rest } = record
  await writeRecord(context, {
    ...rest,
    rejected: [
      ...record.rejected.slice(1 - REJECTED_COUNT_MAX),
      { seq: from.seq, version: from.spec.version, reason },
    ],
    problem: { code: problem.code, message: problem.message },
  })
  await removeImages(context, record.id, [committed, record.previous])
  throw problem
}

/** One path for install, update and rollback. `running` is what may be up now. */
async function putInPlace(
  context: Context,
  record: AppRecord,
  generation: Generation,
  running: AppSpec | undefined,
  work: Work,
): Promise<void> {
  const { options, deps } = context
  const isLive = options.mode === 'systemd'
  work.onProgress(`switching to ${generation.spec.version}`)
  if (isLive && running !== undefined) await stopApp(context, running, work.signal)
  await installUnits(options, generation)
  if (!isLive) return
  await deps.systemd.daemonReload()
  await assertKnown(context, generation.spec)
  if (record.desired === 'stopped') return
  await enableTarget(options, record.id)
  work.onProgress('starting')
  await startApp(context, generation.spec, work.signal)
}

/** @throws OrchestratorError `UNITS_REFUSED` when the generator left a unit out although the dry run had it. */
async function assertKnown({ deps }: Context, spec: AppSpec): Promise<void> {
  const units = await deps.systemd.units(spec.components.map(({ unit }) => unit))
  const missing = spec.components.filter(({ unit }) => units.get(unit)?.active === 'not-found')
  if (missing.length === 0) return
  throw new OrchestratorError(
    'UNITS_REFUSED',
    `after a reload systemd does not know ${missing.map(({ unit }) => unit).join(', ')}`,
  )
}

async function commit(context: Context, record: AppRecord, to: Generation): Promise<void> {
  const { operation: _, previous: _old, ...rest } = record
  const { committed } = record
  await writeRecord(context, {
    ...rest,
    retained: false,
    committed: to,
    ...(committed === undefined ? {} : { previous: committed }),
  })
  context.deps.log.info('app switched', { app: record.id, version: to.spec.version })
  await removeImages(context, record.id, [to, committed])
}

/** Takes every image name of the app away that no kept generation has; images go with their last name. */
export async function removeImages(
  { deps, options }: Context,
  id: string,
  kept: readonly (Generation | undefined)[],
): Promise<void> {
  if (options.mode === 'render') return
  const keptNames = new Set(kept.flatMap(each => each?.images.map(({ name }) => name) ?? []))
  try {
    for (const name of await deps.podman.imageNames()) {
      if (name.startsWith(imagePrefix(id)) && !keptNames.has(name)) {
        await deps.podman.removeImage(name)
      }
    }
  } catch (error) {
    // Costs disk space until the next time; not worth failing an update for.
    deps.log.warn('old images not removed', { app: id, reason: messageOf(error) })
  }
}
