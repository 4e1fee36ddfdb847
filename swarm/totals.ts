/** Bytes received and verified, by source, over all runs of the node. A kill loses what came in the last moments. */
import { join } from 'node:path'
import type { Log } from '../src/core/log.ts'
import type { BytesBySource } from './ports.ts'
import { entriesOf, openStateFile } from './state-file.ts'

export interface Totals {
  add(source: keyof BytesBySource, bytes: number): void
  current(): BytesBySource
  /** Writes what changed since the last call; the caller decides how often. */
  save(): void
  flush(): Promise<void>
}

export async function openTotals(log: Log, folder: string): Promise<Totals> {
  const file = await openStateFile(log, join(folder, 'totals.json'), parseTotals)
  const bytes = { ...file.initial }
  let isChanged = false
  return {
    add(source, count) {
      bytes[source] += count
      isChanged = true
    },
    current: () => ({ ...bytes }),
    save() {
      if (isChanged) file.save({ ...bytes })
      isChanged = false
    },
    flush: () => file.flush(),
  }
}

function parseTotals(content: unknown): { peer: number; origin: number } {
  const fields = new Map(entriesOf(content))
  return { peer: byteCount(fields.get('peer')), origin: byteCount(fields.get('origin')) }
}

function byteCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
