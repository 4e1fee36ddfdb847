/** The chain of timestamps that this node knows: each commits to the one before, so that nobody can rewrite the past unseen. */
import { createHash } from 'node:crypto'
import { type CacheFiles, HISTORY_COUNT_MAX, historyNames } from './cache.ts'
import { type Conflict, findConflict, type Link } from './fork.ts'
import { parseEnvelope, signedBytes } from './trust/envelope.ts'
import { TIMESTAMP_BYTES_MAX } from './trust/limits.ts'
import { parseTimestamp } from './trust/structure.ts'

/** A link and the file that it was read from. */
export interface Known extends Link {
  readonly bytes: Uint8Array
}

/** By content, SHA-256 in hex. */
export type History = ReadonlyMap<string, Known>

/**
 * Reads the timestamps among accepted files. Their signatures were checked when they were kept; the keys may have been
 * rotated since. A file that cannot be read is left out.
 */
export function readHistory(files: CacheFiles): History {
  const history = new Map<string, Known>()
  for (const name of ['timestamp.json', ...historyNames(files)]) {
    const bytes = files.get(name)
    const known = bytes && readLink(name, bytes)
    if (known !== undefined) history.set(known.content, known)
  }
  return history
}

/** `undefined` when the bytes are no timestamp. Nothing is proven by it but the hash. */
export function readLink(name: string, bytes: Uint8Array): Known | undefined {
  try {
    const { signed } = parseEnvelope(name, bytes, TIMESTAMP_BYTES_MAX)
    const content = createHash('sha256').update(signedBytes(signed)).digest('hex')
    const { version, previous } = parseTimestamp(name, { signed, content })
    return { version, content, previous, bytes }
  } catch {
    // A damaged file of the past proves nothing; the chain is filled again from whoever has it.
    return undefined
  }
}

export interface Filling {
  /** Files to keep, by name. */
  readonly files: CacheFiles
  /** A version of the past that contradicts what this node knows. */
  readonly conflict: (Conflict & { readonly bytes: Uint8Array }) | undefined
  /** False while a timestamp of the past could not be had. */
  readonly isLinked: boolean
}

/**
 * Follows the commitments of `head` back to what is known, asking for the timestamps between. They need no signature:
 * each is named by the hash in its successor.
 */
export async function fillHistory(
  history: History,
  head: Link,
  get: (name: string) => Promise<Uint8Array | undefined>,
): Promise<Filling> {
  const files = new Map<string, Uint8Array>()
  const highestBefore = Math.max(
    0,
    ...[...history.values()].map(({ version }) => version).filter(each => each < head.version),
  )
  let { previous } = head
  for (let steps = 0; steps < HISTORY_COUNT_MAX; steps += 1) {
    if (previous === undefined || history.has(previous.content)) break
    if (highestBefore === 0) break
    const wanted = previous
    const contradicted = [...history.values()].find(({ version }) => version === wanted.version)
    const name = `${wanted.version}.timestamp.json`
    const bytes = await get(name)
    const link = bytes && readLink(name, bytes)
    if (bytes === undefined || link?.content !== wanted.content) {
      return { files, conflict: undefined, isLinked: false }
    }
    const conflict = contradicted && findConflict([contradicted], link)
    if (conflict !== undefined) return { files, conflict: { ...conflict, bytes }, isLinked: false }
    if (wanted.version < highestBefore) break
    files.set(name, bytes)
    previous = link.previous
  }
  return { files, conflict: undefined, isLinked: true }
}
