/** Moves an app from one generation to another, or back: one path for install, update and rollback. */
import { codeOf, messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { holdApp, releaseApp } from './hold.ts'
import { runHooks } from './hooks/run-hooks.ts'
import type { Progress } from './images.ts'
import { type Journal, openJournal, putOperation } from './journal.ts'
import { mayStart } from './needs.ts'
import { type AppRecord, type Generation, problemOf } from './record.ts'
import { startApp, stopApp } from './run-app.ts'
import { restoreData, type Saved, saveData } from './snapshot.ts'
import type { AppSpec } from './spec.ts'
import { measureSetAside, tidy } from './tidy.ts'
import { enableTarget, installUnits } from './unit-store.ts'
import { NO_TERMS } from './update-terms.ts'

export interface Work {
  readonly onProgress: Progress
  /** Ends the work when the node stops; what is journaled is finished at the next start. */
  readonly signal: AbortSignal
}

/** How many refused releases are remembered; older ones are below the installed number by then. */
const REJECTED_COUNT_MAX = 16

/** Puts the generation of a `switch` operation into place, starts it, and commits it or goes back. */
export async function switchTo(context: Context, record: AppRecord, work: Work): Promise<void> {
  if (record.operation?.kind !== 'switch') return
  const { to, hasRun } = record.operation
  const journal = await openJournal(context, record)
  const { committed, desired } = record
  if (committed !== undefined && hasRun !== true && desired === 'running') {
    await runHooks(context, journal, 'preStop', committed, work.signal)
  }
  const old = committed?.spec
  try {
    await putInPlace(context, journal, to, work, {
      running: [...(old === undefined ? [] : [old]), ...(hasRun === true ? [to.spec] : [])],
      whileDown: () => saveOnce(context, journal, to),
      beforeStart: () => putOperation(journal, 'switch', { hasRun: true }),
      healthyForMs: to.terms?.healthyForMs ?? 0,
    })
  } catch (error) {
    work.signal.throwIfAborted()
    throwIfHostIsGone(error)
    return await undo(context, journal, to, error, work)
  }
  await commit(context, journal, to)
}

/** A machine that shuts down or is stuck says nothing about a version: what was begun stays in the record and is finished later. */
function throwIfHostIsGone(error: unknown): void {
  if (['HOST_UNREACHABLE', 'HOST_COMMAND_TIMEOUT'].includes(codeOf(error) ?? '')) throw error
}

/** Only until it is complete: after that the new version may have changed the data. */
async function saveOnce(context: Context, journal: Journal, to: Generation): Promise<void> {
  const { operation, committed, id } = journal.record
  if (operation?.kind !== 'switch' || operation.saved !== undefined) return
  const isUpdate = committed !== undefined && committed.manifest !== to.manifest
  const saved = { generation: to.number, sets: isUpdate ? (to.terms?.saves ?? []) : [] }
  if (context.options.mode === 'systemd') await saveData(context, id, saved)
  await putOperation(journal, 'switch', { saved })
}

/** @throws the failure of a first install, or of a version after which nothing older can run; else as `rollBack` */
async function undo(
  context: Context,
  journal: Journal,
  to: Generation,
  error: unknown,
  work: Work,
): Promise<void> {
  const { record } = journal
  const { operation, committed } = record
  if (operation?.kind !== 'switch') return
  const hasRun = operation.hasRun === true
  const isUpdate = committed?.manifest !== to.manifest
  const isFinal = hasRun && isUpdate && to.terms?.canGoBack === false
  if (committed === undefined || isFinal) {
    // It stays: systemd goes on trying, and there is nothing to go back to.
    await releaseApp(context.options, record.id)
    await commit(context, journal, to, problemOf(error))
    throw error
  }
  const isOfHost = codeOf(error)?.startsWith('HOST_') === true
  const isToBlame = (hasRun && !isOfHost) || codeOf(error) === 'UNITS_REFUSED'
  await rollBack(
    context,
    {
      ...record,
      operation: {
        kind: 'rollback',
        from: to,
        to: committed,
        reason: messageOf(error),
        startedMs: context.deps.clock.nowMs(),
        cause: isToBlame ? 'version' : 'node',
        ...(hasRun && operation.saved !== undefined ? { saved: operation.saved } : {}),
      },
    },
    work,
  )
}

/**
 * Puts the older generation of a `rollback` operation back, with the data that was saved for it.
 * @throws OrchestratorError `UPDATE_ROLLED_BACK` once it is back, unless the owner asked for it and it runs.
 */
export async function rollBack(context: Context, record: AppRecord, work: Work): Promise<void> {
  const { operation, committed } = record
  if (operation?.kind !== 'rollback' || committed === undefined) return
  const { from, to = committed, reason, saved, cause = 'version' } = operation
  const journal = await openJournal(context, record)
  const versions = { from: from.spec.version, to: to.spec.version }
  context.deps.log.warn('going back to an older version', { app: record.id, ...versions, reason })
  work.onProgress(`going back to ${to.spec.version}`)
  let after = ''
  try {
    await putInPlace(context, journal, to, work, {
      running: [from.spec],
      whileDown: async () => {
        if (saved !== undefined) await restoreData(context, record.id, saved)
      },
      healthyForMs: 0,
    })
  } catch (error) {
    work.signal.throwIfAborted()
    throwIfHostIsGone(error)
    after = `; the old version is back in place but: ${messageOf(error)}`
  }
  const failure =
    cause === 'owner' && after === ''
      ? undefined
      : new OrchestratorError(
          'UPDATE_ROLLED_BACK',
          `${record.id} ${versions.from} was taken back to ${versions.to}: ${reason}${after}`,
        )
  const isRejected = cause !== 'node' && from.manifest !== to.manifest
  const { operation: _, pendingConsent: _p, approved: _a, problem: _old, ...rest } = journal.record
  const setAside = await measureSetAside(context, record.id)
  await journal.put({
    ...withGeneration(rest, to),
    rejected: isRejected
      ? [
          ...record.rejected.slice(1 - REJECTED_COUNT_MAX),
          { seq: from.seq, version: versions.from, reason },
        ]
      : record.rejected,
    ...(setAside.length === 0 ? {} : { setAside }),
    ...(failure === undefined ? {} : { problem: problemOf(failure) }),
  })
  await tidy(context, journal.record)
  if (failure !== undefined) throw failure
}

/** Pure. Going back behind the committed generation leaves nothing to go back to, and nothing to watch. */
function withGeneration(record: AppRecord, to: Generation): AppRecord {
  const settings = to.config === undefined ? {} : { config: to.config }
  if (to.number === record.committed?.number) return { ...record, ...settings }
  const { previous: _, probation: _p, ...rest } = record
  return { ...rest, ...settings, committed: to }
}

interface Placing {
  /** What may be up now, in any of these forms. */
  readonly running: readonly AppSpec[]
  /** Done when nothing of the app runs, before any unit changes. */
  readonly whileDown: () => Promise<void>
  /** Done before the first start of anything new. */
  readonly beforeStart?: () => Promise<void>
  readonly healthyForMs: number
}

/** One path for install, update and rollback. */
async function putInPlace(
  context: Context,
  journal: Journal,
  generation: Generation,
  work: Work,
  { running, whileDown, beforeStart, healthyForMs }: Placing,
): Promise<void> {
  const { options, deps } = context
  const { record } = journal
  const isLive = options.mode === 'systemd'
  work.onProgress(`switching to ${generation.spec.version}`)
  // From here to the release units and data may not belong together: a boot in between starts nothing of the app.
  if (isLive && record.committed !== undefined) await holdApp(options, record.id)
  if (isLive) for (const spec of running) await stopApp(context, spec, work.signal)
  await whileDown()
  await installUnits(options, generation)
  if (!isLive) return
  await deps.systemd.daemonReload()
  await assertKnown(context, generation.spec)
  if (record.desired !== 'stopped') await beforeStart?.()
  await releaseApp(options, record.id)
  if (record.desired === 'stopped' || !(await mayStart(context, generation.spec))) return
  await enableTarget(options, record.id)
  work.onProgress('starting')
  await runHooks(context, journal, 'preStart', generation, work.signal)
  await startApp(context, generation.spec, work.signal, healthyForMs)
  await runHooks(context, journal, 'postStart', generation, work.signal)
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

async function commit(
  context: Context,
  journal: Journal,
  to: Generation,
  problem?: AppRecord['problem'],
): Promise<void> {
  const { operation, pendingConsent: _c, approved: _a, ...rest } = journal.record
  const saved = operation?.kind === 'switch' ? operation.saved : undefined
  await journal.put({
    ...followed(rest, to, saved, context.deps.clock.nowMs()),
    retained: false,
    ...(to.config === undefined ? {} : { config: to.config }),
    ...(problem === undefined ? {} : { problem }),
  })
  context.deps.log.info('app switched', { app: journal.record.id, version: to.spec.version })
  await tidy(context, journal.record)
}

/**
 * Pure. Another release begins its probation, and what ran before is the way back. Other settings of the same release
 * change neither.
 */
function followed(
  record: AppRecord,
  to: Generation,
  saved: Saved | undefined,
  nowMs: number,
): AppRecord {
  const { committed, previous: _, probation: _p, ...rest } = record
  if (committed === undefined) return { ...rest, committed: to }
  if (committed.manifest === to.manifest) return { ...record, committed: to }
  const { canGoBack, probationMs } = to.terms ?? NO_TERMS
  const probation = {
    startedMs: nowMs,
    lengthMs: probationMs,
    ...(saved === undefined ? {} : { saved }),
  }
  const watched = canGoBack && probationMs > 0 ? { probation } : {}
  return { ...rest, ...watched, committed: to, previous: committed }
}
