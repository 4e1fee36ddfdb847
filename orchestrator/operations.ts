/** The operations on one app. Each step is on disk before its effect and may be done again after a power cut. */
import { assertOurs, foreignOf, startForeign, stopForeign } from './adopt/operate.ts'
import { resumeTakeOver } from './adopt/take-over.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { releaseApp } from './hold.ts'
import { runHooks } from './hooks/run-hooks.ts'
import { openJournal } from './journal.ts'
import { mayStart } from './needs.ts'
import { restartProbation } from './probation.ts'
import { purge } from './purge.ts'
import {
  type AppRecord,
  type Generation,
  problemOf,
  withoutProblem,
  writeRecord,
} from './record.ts'
import { resumeRotation } from './rotate.ts'
import { removeNetworks, startApp, stopApp } from './run-app.ts'
import { shownGeneration } from './status.ts'
import { rollBack, switchTo, type Work } from './switch.ts'
import { tidy } from './tidy.ts'
import { disableTarget, enableTarget, removeUnits } from './unit-store.ts'

export async function start(context: Context, record: AppRecord, work: Work): Promise<void> {
  const { committed } = requireCommitted(record)
  const foreign = foreignOf(record)
  if (foreign !== undefined) return await startForeign(context, record, foreign)
  const startedMs = context.deps.clock.nowMs()
  const journal = await openJournal(context, {
    ...restartProbation(withoutProblem(record), startedMs),
    desired: 'running',
    operation: { kind: 'start', startedMs },
  })
  const end = async (problem?: AppRecord['problem']): Promise<void> => {
    const { operation: _, ...rest } = journal.record
    await journal.put(problem === undefined ? rest : { ...rest, problem })
  }
  await releaseApp(context.options, record.id)
  const isLive = context.options.mode === 'systemd'
  if (isLive && !(await mayStart(context, committed.spec))) return await end()
  await enableTarget(context.options, record.id)
  if (!isLive) return await end()
  try {
    await runHooks(context, journal, 'preStart', committed, work.signal)
    await startApp(context, committed.spec, work.signal)
    await runHooks(context, journal, 'postStart', committed, work.signal)
    await end()
  } catch (error) {
    work.signal.throwIfAborted()
    await end(problemOf(error))
    throw error
  }
}

/** The owner's will is on disk, and the next boot knows it, before anything is stopped. */
export async function stop(context: Context, record: AppRecord, work: Work): Promise<void> {
  const { committed } = requireCommitted(record)
  const foreign = foreignOf(record)
  if (foreign !== undefined) return await stopForeign(context, record, foreign, work)
  const startedMs = context.deps.clock.nowMs()
  const stopping: AppRecord = {
    ...withoutProblem(record),
    desired: 'stopped',
    operation: { kind: 'stop', startedMs },
  }
  const journal = await openJournal(context, stopping)
  await disableTarget(context.options, record.id)
  await runHooks(context, journal, 'preStop', committed, work.signal)
  const { operation: _, ...stopped } = journal.record
  if (context.options.mode === 'render') return await writeRecord(context, stopped)
  const { wasKilled } = await stopApp(context, committed.spec, work.signal)
  if (wasKilled) {
    context.deps.log.warn('a component did not end cleanly', { app: record.id })
  }
  await writeRecord(context, wasKilled ? { ...stopped, wasKilled } : stopped)
}

export async function restart(context: Context, record: AppRecord, work: Work): Promise<void> {
  const { committed } = requireCommitted(record)
  const foreign = foreignOf(record)
  if (foreign !== undefined) await stopForeign(context, record, foreign, work)
  if (foreign !== undefined) return await startForeign(context, record, foreign)
  const startedMs = context.deps.clock.nowMs()
  const journal = await openJournal(context, {
    ...withoutProblem(record),
    desired: 'running',
    operation: { kind: 'restart', startedMs },
  })
  await runHooks(context, journal, 'preStop', committed, work.signal)
  if (context.options.mode === 'systemd') await stopApp(context, committed.spec, work.signal)
  await start(context, journal.record, work)
}

/** Keeps data and secrets. */
export async function uninstall(context: Context, record: AppRecord, work: Work): Promise<void> {
  assertOurs(record, 'uninstalled')
  const startedMs = context.deps.clock.nowMs()
  const spec = shownGeneration(record)?.spec
  const going: AppRecord = {
    ...withoutProblem(record),
    desired: 'stopped',
    operation: { kind: 'uninstall', startedMs },
  }
  // A first install that was cut off is known only by its operation: keep its units in the record until they are gone.
  const shown = shownGeneration(record)
  const journaled = shown === undefined ? going : { ...going, committed: shown }
  await writeRecord(context, journaled)
  const { options, deps } = context
  await disableTarget(options, record.id)
  const isLive = options.mode === 'systemd'
  if (isLive && spec !== undefined) await stopApp(context, spec, work.signal)
  await removeUnits(options, record.id)
  await releaseApp(options, record.id)
  if (isLive && spec !== undefined) {
    await removeNetworks(context, spec)
    await deps.systemd.daemonReload()
    for (const { unit } of spec.components) await deps.systemd.resetFailed(unit)
  }
  const { operation: _o, committed, previous: _p, probation: _w, ...rest } = journaled
  const publisher = committed?.publisher ?? rest.publisher
  const kept = publisher === undefined ? {} : { publisher }
  const after: AppRecord = { ...rest, ...kept, retained: true, rejected: [] }
  await tidy(context, after)
  await writeRecord(context, after)
}

/** Finishes what a crash or a power cut interrupted. */
export async function resume(context: Context, record: AppRecord, work: Work): Promise<void> {
  const operation = record.operation
  if (operation === undefined) return
  context.deps.log.info('finishing an interrupted operation', {
    app: record.id,
    operation: operation.kind,
  })
  switch (operation.kind) {
    case 'prepare':
      return await forgetPreparation(context, record)
    case 'switch':
      return await switchTo(context, record, work)
    case 'rollback':
      return await rollBack(context, record, work)
    case 'take-over':
      return await resumeTakeOver(context, record, work)
    case 'stop':
      return await stop(context, record, work)
    case 'uninstall':
      return await uninstall(context, record, work)
    case 'rotate':
      return await resumeRotation(context, record, work)
    case 'purge':
      return await purge(context, record)
    case 'start':
    case 'restart':
      return await start(context, record, work)
  }
}

async function forgetPreparation(context: Context, record: AppRecord): Promise<void> {
  const { operation: _, ...rest } = record
  await tidy(context, rest)
  const problem = new OrchestratorError(
    'INSTALL_INTERRUPTED',
    `installing ${record.id} was interrupted before anything moved; install it again`,
  )
  await writeRecord(context, { ...rest, problem: problemOf(problem) })
}

/** @throws OrchestratorError `APP_NOT_INSTALLED` */
function requireCommitted(record: AppRecord): { committed: Generation } {
  if (record.committed !== undefined) return { committed: record.committed }
  throw new OrchestratorError('APP_NOT_INSTALLED', `the app ${record.id} is not installed`)
}
