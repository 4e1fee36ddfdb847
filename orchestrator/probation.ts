/** The time after an update in which a failure still takes it back. The judgement is pure; the watch acts on it. */
import { messageOf } from '../src/core/errors.ts'
import { componentStatus, type Observed, RESTARTS_MAX } from './component-status.ts'
import type { Context } from './context.ts'
import type { Locks } from './lock.ts'
import { observeApp, type Snapshot, takeSnapshot } from './observe.ts'
import { type AppRecord, readRecord, writeRecord } from './record.ts'
import { rollBack, type Work } from './switch.ts'
import { tidy } from './tidy.ts'

/** Looks in a row at which a check failed. One may fail on a busy board. */
const BAD_LOOKS_MAX = 3
/** Looks that come sooner after a bad one, because the machine told of a change, count as one: a boot alone brings ten of them. */
const BAD_LOOK_APART_MS = 25_000

export type Verdict =
  | { readonly kind: 'watch'; readonly isBad: boolean }
  /** The clock went back behind the start: the time begins anew. */
  | { readonly kind: 'again' }
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly reason: string }

/** `badLooks`: how many looks before this one were bad, in a row. Total. */
export function judgeProbation(
  { committed, probation, desired }: AppRecord,
  observed: Observed,
  badLooks: number,
  nowMs: number,
): Verdict {
  // What does not run proves nothing.
  if (committed === undefined || probation === undefined || desired === 'stopped') {
    return { kind: 'watch', isBad: false }
  }
  for (const component of committed.spec.components) {
    const unit = observed.units.get(component.unit)
    const { name } = component
    const failed = (reason: string): Verdict => ({ kind: 'failed', reason: `${name}: ${reason}` })
    if (unit?.result === 'oom-kill') return failed('was ended for its memory')
    if (unit?.active === 'failed') return failed(`${component.unit} failed (${unit.result})`)
    const restarts = unit?.restarts ?? 0
    if (restarts >= RESTARTS_MAX) return failed(`ended ${restarts} times in its probation`)
  }
  const sick = committed.spec.components.find(
    component => componentStatus(component, observed).health === 'unhealthy',
  )
  if (sick !== undefined) {
    if (badLooks + 1 < BAD_LOOKS_MAX) return { kind: 'watch', isBad: true }
    return { kind: 'failed', reason: `${sick.name}: its check failed in its probation` }
  }
  if (nowMs < probation.startedMs) return { kind: 'again' }
  if (nowMs - probation.startedMs < probation.lengthMs) return { kind: 'watch', isBad: false }
  return { kind: 'passed' }
}

/** A start by the owner begins it anew: what was stopped was not watched. Pure. */
export function restartProbation(record: AppRecord, nowMs: number): AppRecord {
  const { probation } = record
  return probation === undefined
    ? record
    : { ...record, probation: { ...probation, startedMs: nowMs } }
}

export interface ProbationWatch {
  /** One look at every app in probation. Costs nothing when there is none. A look that fails changes nothing. */
  tend(records: readonly AppRecord[], work: Work): Promise<void>
}

export function createProbationWatch(context: Context, locks: Locks): ProbationWatch {
  const badLooks = new Map<string, { readonly count: number; readonly atMs: number }>()

  async function tendApp(id: string, snapshot: Snapshot, work: Work): Promise<void> {
    const record = await readRecord(context, id)
    const { committed, probation, operation } = record ?? {}
    if (record === undefined || committed === undefined) return
    if (probation === undefined || operation !== undefined) return
    const observed = await observeApp(context, committed.spec, snapshot)
    const nowMs = context.deps.clock.nowMs()
    const lookMs = context.deps.clock.monotonicMs()
    const last = badLooks.get(id)
    const isTooSoon = last !== undefined && lookMs - last.atMs < BAD_LOOK_APART_MS
    const badBefore = isTooSoon ? 0 : (last?.count ?? 0)
    const verdict = judgeProbation(record, observed, badBefore, nowMs)
    const isBad = verdict.kind === 'watch' && verdict.isBad
    if (!isBad) badLooks.delete(id)
    else if (!isTooSoon) badLooks.set(id, { count: badBefore + 1, atMs: lookMs })
    if (verdict.kind === 'again') await writeRecord(context, restartProbation(record, nowMs))
    if (verdict.kind === 'passed') await pass(context, record)
    if (verdict.kind === 'failed') await takeBack(context, record, verdict.reason, work)
  }

  return {
    async tend(records, work) {
      const watched = records.filter(({ probation }) => probation !== undefined)
      const specs = watched.flatMap(({ committed }) => committed?.spec ?? [])
      if (specs.length === 0) return
      const snapshot = await takeSnapshot(context, specs)
      for (const { id } of watched) {
        if (work.signal.aborted) return
        if (locks.isBusy(id)) continue
        try {
          await locks.run(id, () => tendApp(id, snapshot, work))
        } catch (error) {
          const reason = messageOf(error)
          context.deps.log.error('probation of an app not tended', { app: id, reason })
        }
      }
    },
  }
}

/** The copies of its data go; the older version stays for who wants it back. */
async function pass(context: Context, record: AppRecord): Promise<void> {
  const { probation: _, ...rest } = record
  await writeRecord(context, rest)
  context.deps.log.info('update has proven itself', {
    app: record.id,
    version: record.committed?.spec.version,
  })
  await tidy(context, rest)
}

async function takeBack(
  context: Context,
  record: AppRecord,
  reason: string,
  work: Work,
): Promise<void> {
  const { committed, previous, probation } = record
  if (committed === undefined || previous === undefined) return
  const operation = {
    kind: 'rollback' as const,
    ...{ from: committed, to: previous, reason },
    startedMs: context.deps.clock.nowMs(),
    ...(probation?.saved === undefined ? {} : { saved: probation.saved }),
  }
  await rollBack(context, { ...record, operation }, work)
}
