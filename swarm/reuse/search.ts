/** Looks for bytes in a blob of the store, from where they are expected outwards. */
import type { BlobStore, HeldBlob } from '../ports.ts'

const WINDOW_BYTES = 1024 * 1024
/** How far to either side it is looked for, ring after ring: a change moves what follows by little, most of the time. */
const RADIUS_BYTES = [256 * 1024, 2 * 1024 * 1024, 16 * 1024 * 1024, Number.POSITIVE_INFINITY]
/** A text that stands in many files is no sign of a place. */
const PLACES_MAX = 4

export interface SearchBudget {
  /** Bytes that may still be read to look for something. */
  leftBytes: number
}

/**
 * Offsets in `blob` at which `needle` stands, from `expectedOffset` outwards; ends when the budget does. What was found near
 * is not looked for far away as well: the change is then right behind it, and the next piece will tell.
 */
export async function* placesOf(
  store: Pick<BlobStore, 'read'>,
  blob: HeldBlob,
  needle: Uint8Array,
  { expectedOffset, budget }: { expectedOffset: number; budget: SearchBudget },
): AsyncGenerator<number> {
  let count = 0
  for (const { start, end, isFar } of rings(blob.sizeBytes, expectedOffset)) {
    if (isFar && count > 0) return
    for await (const place of placesWithin(store, blob, needle, { start, end, budget })) {
      yield place
      count += 1
      if (count >= PLACES_MAX) return
    }
  }
}

/** Ranges that cover the blob, from the expected place outwards. */
function* rings(
  sizeBytes: number,
  expectedOffset: number,
): Generator<{ readonly start: number; readonly end: number; readonly isFar: boolean }> {
  const middle = Math.min(Math.max(0, expectedOffset), sizeBytes)
  let [from, to] = [middle, middle]
  for (const radius of RADIUS_BYTES) {
    const [wideFrom, wideTo] = [Math.max(0, middle - radius), Math.min(sizeBytes, middle + radius)]
    const isFar = radius === Number.POSITIVE_INFINITY
    yield { start: to, end: wideTo, isFar }
    yield { start: wideFrom, end: from, isFar }
    from = wideFrom
    to = wideTo
  }
}

/** Needles that begin in `[start, end)`. */
async function* placesWithin(
  store: Pick<BlobStore, 'read'>,
  { digest, sizeBytes }: HeldBlob,
  needle: Uint8Array,
  { start, end, budget }: { start: number; end: number; budget: SearchBudget },
): AsyncGenerator<number> {
  for (let at = start; at < end && budget.leftBytes > 0; at += WINDOW_BYTES) {
    const wanted = Math.min(WINDOW_BYTES, end - at) + needle.length - 1
    const length = Math.min(wanted, sizeBytes - at)
    budget.leftBytes -= length
    const bytes = await store.read(digest, at, length)
    const window = Buffer.from(bytes.buffer, bytes.byteOffset, length)
    for (
      let found = window.indexOf(needle);
      found >= 0;
      found = window.indexOf(needle, found + 1)
    ) {
      yield at + found
    }
  }
}
