/** Decides whether two heads of the catalog contradict each other, and whether such a fork is settled. Pure. */
import { CatalogError } from './errors.ts'
import { readTimestamp } from './trust/accept.ts'
import type { RootModel, Rules, TargetsModel, TimestampModel } from './trust/model.ts'

/** What of a timestamp matters for the history: its place, its content, and what came before. */
export type Link = Pick<TimestampModel, 'version' | 'content' | 'previous'>

/**
 * Two files that one key signed and that cannot both be the truth. Anyone with the root can check them.
 * `same-version`: one number, two contents. `two-successors`: two heads that both claim to follow the same one.
 */
export interface ForkProof {
  readonly kind: 'same-version' | 'two-successors'
  /** The version that both have, or that both follow. */
  readonly version: number
  /** SHA-256 (hex) of the signed parts, in order of `files`. */
  readonly contents: readonly [string, string]
  /** Whole timestamp files, the one that was trusted first at the front. */
  readonly files: readonly [Uint8Array, Uint8Array]
}

export interface Conflict {
  readonly kind: ForkProof['kind']
  readonly version: number
  readonly with: Link
}

/** Compares a head with what is known. Two signings of one content are one head. */
export function findConflict(known: Iterable<Link>, seen: Link): Conflict | undefined {
  for (const link of known) {
    if (link.content === seen.content) continue
    if (link.version === seen.version) {
      return { kind: 'same-version', version: seen.version, with: link }
    }
    const [a, b] = [link.previous, seen.previous]
    if (a !== undefined && a.version === b?.version && a.content === b.content) {
      return { kind: 'two-successors', version: a.version, with: link }
    }
  }
  return undefined
}

/**
 * Checks a proof that somebody sent: both files are signed by the keys of `root`, and they do contradict each other.
 * @throws CatalogError as `readTimestamp`
 */
export function checkProof(
  root: RootModel,
  files: readonly [Uint8Array, Uint8Array],
  rules: Rules,
): ForkProof | undefined {
  const [a, b] = [readTimestamp(root, files[0], rules), readTimestamp(root, files[1], rules)]
  const conflict = findConflict([a], b)
  if (conflict === undefined) return undefined
  const { kind, version } = conflict
  return { kind, version, contents: [a.content, b.content], files }
}

/**
 * A fork is settled when the key that signed it is no longer trusted, or when the holders of the offline keys say in
 * `x-ack-forks` that they know of it.
 */
export function isSettled(
  proof: ForkProof,
  root: RootModel,
  targets: TargetsModel | undefined,
  rules: Rules,
): boolean {
  const isAcknowledged = targets?.acknowledgedForks.some(fork =>
    proof.contents.every(content => fork.includes(content)),
  )
  return isAcknowledged === true || proof.files.every(file => !isSignedUnder(root, file, rules))
}

function isSignedUnder(root: RootModel, file: Uint8Array, rules: Rules): boolean {
  try {
    readTimestamp(root, file, rules)
    return true
  } catch (error) {
    if (error instanceof CatalogError) return false
    throw error
  }
}
