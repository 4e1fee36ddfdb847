/** How much of each blob this node gave, over all runs. A kill loses what went out in the last moments. */
import { join } from 'node:path'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import { GIVEN_BLOBS_MAX, GIVEN_PEERS_MAX } from '../limits.ts'
import type { Scope } from '../scope.ts'
import { entriesOf, openStateFile } from '../state-file.ts'

export interface GivenBytes {
  readonly lan: number
  readonly wan: number
}

export interface Receiver {
  readonly peerId: string
  readonly scope: Scope
}

export interface Given {
  add(digest: Digest, to: Receiver, bytes: number): void
  /** Given to peers outside the house. */
  beyondHouse(digest: Digest): number
  of(digest: Digest): GivenBytes
  /** Different peers that got bytes of it in this run; counted up to `GIVEN_PEERS_MAX`. */
  peerCount(digest: Digest): number
}

export interface StoredGiven extends Given {
  /** Writes what changed since the last call; the caller decides how often. */
  save(): void
  flush(): Promise<void>
}

const NOTHING: GivenBytes = { lan: 0, wan: 0 }

export async function openGiven(log: Log, folder: string): Promise<StoredGiven> {
  const file = await openStateFile(log, join(folder, 'given.json'), parseGiven)
  let isChanged = false
  const given = createGiven(file.initial, () => {
    isChanged = true
  })
  return {
    ...given,
    save() {
      if (isChanged) file.save(file.initial)
      isChanged = false
    },
    flush: () => file.flush(),
  }
}

/** Counts in `table`, which stays the caller's to read; `onChange` is called after each change of it. */
export function createGiven(table = new Map<string, GivenBytes>(), onChange = () => {}): Given {
  const peers = new Map<string, Set<string>>()
  const of = (digest: string): GivenBytes => table.get(digest) ?? NOTHING
  return {
    add(digest, { peerId, scope }, bytes) {
      const before = of(digest)
      // The one that was given last stands last: the longest unused is forgotten first.
      table.delete(digest)
      const side = scope === 'lan' ? 'lan' : 'wan'
      table.set(digest, { ...before, [side]: before[side] + bytes })
      const [oldest] = table.keys()
      if (table.size > GIVEN_BLOBS_MAX && oldest !== undefined) {
        table.delete(oldest)
        peers.delete(oldest)
      }
      const receivers = peers.get(digest) ?? new Set()
      if (receivers.size < GIVEN_PEERS_MAX) peers.set(digest, receivers.add(peerId))
      onChange()
    },
    beyondHouse: digest => of(digest).wan,
    of,
    peerCount: digest => peers.get(digest)?.size ?? 0,
  }
}

class GivenTable extends Map<string, GivenBytes> {
  toJSON(): unknown {
    return Object.fromEntries(this)
  }
}

function parseGiven(content: unknown): GivenTable {
  const table = new GivenTable()
  for (const [digest, entry] of entriesOf(content).slice(-GIVEN_BLOBS_MAX)) {
    const fields = new Map(entriesOf(entry))
    table.set(digest, { lan: countOf(fields.get('lan')), wan: countOf(fields.get('wan')) })
  }
  return table
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
