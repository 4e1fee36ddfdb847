/** When each blob is read again: once in every interval, each at a moment that its address says, so that they spread. Pure. */
import { type Digest, hexOf } from '../../src/core/digest.ts'

export interface DueBlob {
  readonly digest: Digest
  readonly dueMs: number
}

/** The blobs whose moment lies after `fromMs` and not after `toMs`, earliest first; each once, however long that is. */
export function dueForScrub(
  digests: Iterable<Digest>,
  fromMs: number,
  toMs: number,
  intervalMs: number,
): readonly DueBlob[] {
  const due: DueBlob[] = []
  for (const digest of digests) {
    const offsetMs = placeOf(digest) * intervalMs
    const dueMs = Math.floor((toMs - offsetMs) / intervalMs) * intervalMs + offsetMs
    if (dueMs > fromMs) due.push({ digest, dueMs })
  }
  return due.sort((a, b) => a.dueMs - b.dueMs)
}

/** In [0, 1): addresses are spread evenly. */
function placeOf(digest: Digest): number {
  return Number.parseInt(hexOf(digest).slice(0, 8), 16) / 2 ** 32
}
