/** Remembers what files said until they change: a pass over hundreds of files that nobody touched then opens none. */
import { type BigIntStats, statSync } from 'node:fs'
import type { Clock } from '../src/core/clock.ts'
import { readFileBounded } from '../src/core/files.ts'

export interface FileMemory {
  /**
   * What `make` made of the bytes of the file, which nobody may change; `undefined` when there is no such file. What it
   * throws is not remembered. One path always has the same `make`.
   * @throws FileError `FILE_TOO_LARGE`
   */
  read<T>(path: string, bytesMax: number, make: (bytes: Uint8Array) => T): Promise<T | undefined>
}

interface Known {
  readonly stats: BigIntStats
  readonly value: unknown
}

/** Fifty apps have some hundred files; nobody has as many apps as this. */
const FILES_MAX = 10_000
/** Two writes within one tick of the kernel's clock leave the same times: a file that was just written is read again. */
const SETTLED_MS = 2000

export function createFileMemory(clock: Pick<Clock, 'nowMs'>): FileMemory {
  const known = new Map<string, Known>()

  return {
    async read<T>(path: string, bytesMax: number, make: (bytes: Uint8Array) => T) {
      // Not in a thread: the answer is in the kernel's memory, and asking for it there takes ten times as long.
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
      const before = known.get(path)
      if (stats !== undefined && before !== undefined && isSame(stats, before.stats)) {
        return before.value as T
      }
      known.delete(path)
      const bytes = await readFileBounded(path, bytesMax)
      if (bytes === undefined) return undefined
      const value = make(bytes)
      const hasSettled = stats !== undefined && clock.nowMs() - Number(stats.ctimeMs) > SETTLED_MS
      if (hasSettled) {
        if (known.size >= FILES_MAX) known.clear()
        known.set(path, { stats, value: deepFreeze(value) })
      }
      return value
    },
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.ino === other.ino &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs
  )
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const each of Object.values(value)) deepFreeze(each)
  return value
}
