/** The record of one app in the hands of an operation: each change is on disk before the effect that it announces. */
import type { Context } from './context.ts'
import { type AppRecord, type Operation, writeRecord } from './record.ts'

export interface Journal {
  /** As it is on disk. */
  readonly record: AppRecord
  put(record: AppRecord): Promise<void>
}

/** Writes `first` and keeps what was written last, also for who catches the failure of a later step. */
export async function openJournal(context: Context, first: AppRecord): Promise<Journal> {
  let record = first
  await writeRecord(context, first)
  return {
    get record() {
      return record
    },
    async put(next) {
      await writeRecord(context, next)
      record = next
    },
  }
}

/** Adds to the operation under way what has become true of it. */
export async function putOperation<K extends Operation['kind']>(
  journal: Journal,
  kind: K,
  change: Partial<Extract<Operation, { kind: K }>>,
): Promise<void> {
  const { operation } = journal.record
  if (operation?.kind !== kind) return
  await journal.put({ ...journal.record, operation: { ...operation, ...change } as Operation })
}
