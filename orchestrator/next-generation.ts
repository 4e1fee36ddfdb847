/** Makes the next generation of an app while the present one runs: one path for updates, settings and take-overs. */
import type { Context } from './context.ts'
import { type Journal, openJournal } from './journal.ts'
import { type AppRecord, type Generation, problemOf, writeRecord } from './record.ts'
import { tidy } from './tidy.ts'

export interface NextGeneration {
  readonly to: Generation
  readonly startedMs: number
  /** The record as it is then, without an operation, and with the number taken. */
  readonly record: AppRecord
}

/**
 * `make` is given the journal, with the operation `prepare` under way, and the number. When it fails nothing that runs was
 * touched: the record is as before, with the problem, and what was half made is taken away.
 */
export async function makeNext(
  context: Context,
  before: AppRecord,
  signal: AbortSignal,
  make: (journal: Journal, number: number) => Promise<Generation>,
): Promise<NextGeneration> {
  const number = before.lastGeneration + 1
  const startedMs = context.deps.clock.nowMs()
  const operation = { kind: 'prepare', number, startedMs } as const
  const journal = await openJournal(context, { ...before, operation })
  try {
    const to = await make(journal, number)
    return { to, startedMs, record: { ...atRest(journal.record), lastGeneration: number } }
  } catch (error) {
    signal.throwIfAborted()
    const rest = atRest(journal.record)
    await tidy(context, rest)
    await writeRecord(context, { ...rest, problem: problemOf(error) })
    throw error
  }
}

function atRest({ operation: _, ...rest }: AppRecord): AppRecord {
  return rest
}
