/** Target files as a TUF client handles them: under which names they lie at the server, and whether bytes are the signed ones. */
import { CatalogError } from '../../../catalog/errors.ts'
import { checkBytes } from '../../../catalog/trust/bytes.ts'
import type { TargetEntry } from '../../../catalog/trust/document.ts'

/** The names under a consistent snapshot, one per hash. @see TUF 1.0.34 §5.7.3 */
export function targetNames(path: string, target: TargetEntry): readonly string[] {
  const slash = path.lastIndexOf('/') + 1
  return Object.values(target.hashes).map(
    hash => `${path.slice(0, slash)}${hash}.${path.slice(slash)}`,
  )
}

export function isTarget(path: string, target: TargetEntry, bytes: Uint8Array): boolean {
  const hashes = new Map(Object.entries(target.hashes))
  try {
    checkBytes(path, { length: target.length, hashes, blake3: undefined }, bytes)
    return true
  } catch (error) {
    if (error instanceof CatalogError) return false
    throw error
  }
}
