/** The last fetches, so that they can be explained after their end and after a restart. */
import { join } from 'node:path'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { Explanation } from '../explanation.ts'
import { EXPLAINED_BYTES_MAX, EXPLAINED_FETCHES_MAX } from '../limits.ts'
import { entriesOf, openStateFile } from '../state-file.ts'

export interface History {
  /** The last fetch of the blob that has ended. */
  find(digest: Digest): Explanation | undefined
  /** Keeps it, in place of an older one of the same blob. */
  add(explanation: Explanation): void
  flush(): Promise<void>
}

export async function openHistory(log: Log, folder: string): Promise<History> {
  const file = await openStateFile(log, join(folder, 'fetches.json'), parseHistory)
  let kept = file.initial
  return {
    find: digest => kept.find(each => each.digest === digest),
    add(explanation) {
      const others = kept.filter(({ digest }) => digest !== explanation.digest)
      kept = bounded([explanation, ...others])
      file.save(kept)
    },
    flush: () => file.flush(),
  }
}

/** The first of `all` that fit. */
function bounded(all: readonly Explanation[]): readonly Explanation[] {
  let bytes = 0
  const kept: Explanation[] = []
  for (const each of all.slice(0, EXPLAINED_FETCHES_MAX)) {
    bytes += JSON.stringify(each).length
    if (bytes > EXPLAINED_BYTES_MAX) break
    kept.push(each)
  }
  return kept
}

/** What this version did not write is left out: it only explains what is over. */
function parseHistory(content: unknown): readonly Explanation[] {
  return Array.isArray(content) ? content.filter(isExplanation) : []
}

const NUMBERS = ['sizeBytes', 'startedMs', 'durationMs', 'queuedMs', 'idleMs', 'pieceCount']
const LISTS = ['sources', 'gaps', 'moments']

function isExplanation(value: unknown): value is Explanation {
  const fields = new Map(entriesOf(value))
  return (
    typeof fields.get('digest') === 'string' &&
    typeof fields.get('milestones') === 'object' &&
    NUMBERS.every(name => typeof fields.get(name) === 'number') &&
    LISTS.every(name => Array.isArray(fields.get(name)))
  )
}
