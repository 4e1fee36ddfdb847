/** Looks for bytes in a blob of the store, from where they are expected outwards. */
import type { BlobStore, HeldBlob } from '../ports.ts'

const WINDOW_BYTES = 1024 * 1024
/** A change moves what follows it by less than this, unless much was added at once. */
const NEAR_BYTES = 16 * 1024 * 1024
/** A text that stands in many files is no sign of a place. */
const PLACES_MAX = 4

export interface SearchBudget {
  /** Bytes that may still be read to look for something. */
  leftBytes: number
}

/** Offsets in `blob` at which `needle` stands, those near `expectedOffset` first; ends when the budget does. */
export async function* placesOf(
  store: Pick<BlobStore, 'read'>,
  blob: HeldBlob,
  needle: Uint8Array,
  { expectedOffset, budget }: { expectedOffset: number; budget: SearchBudget },
): AsyncGenerator<number> {
  const from = Math.min(Math.max(0, expectedOffset - NEAR_BYTES), blob.sizeBytes)
  const to = Math.min(from + 2 * NEAR_BYTES, blob.sizeBytes)
  let count = 0
  for (const [start, end] of [
    [from, to],
    [to, blob.sizeBytes],
    [0, from],
  ] as const) {
    for await (const place of placesWithin(store, blob, needle, { start, end, budget })) {
      yield place
      count += 1
      if (count >= PLACES_MAX) return
    }
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
