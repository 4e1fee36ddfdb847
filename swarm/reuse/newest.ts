/** The blobs of a store that were used last, without putting the whole store in order. Pure. */

interface Used {
  readonly lastUsedMs: number
}

/** At most `countMax`, the one that was used last first; of two that were used at one time the earlier in `items`. */
export function newestOf<T extends Used>(items: Iterable<T>, countMax: number): readonly T[] {
  const newest: T[] = []
  for (const item of items) {
    const oldest = newest.at(-1)
    const isFull = newest.length >= countMax
    if (isFull && (oldest === undefined || item.lastUsedMs <= oldest.lastUsedMs)) continue
    if (isFull) newest.pop()
    newest.splice(placeFor(newest, item), 0, item)
  }
  return newest
}

/** Behind all that were used later or at the same time. */
function placeFor(newest: readonly Used[], { lastUsedMs }: Used): number {
  let [low, high] = [0, newest.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((newest[middle]?.lastUsedMs ?? 0) >= lastUsedMs) low = middle + 1
    else high = middle
  }
  return low
}
