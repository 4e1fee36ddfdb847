/** Seeded random numbers (mulberry32): the same seed gives the same model run, byte for byte. */

export interface Random {
  /** In [0, 1). */
  next(): number
  /** An integer from 0 to `count - 1`. */
  below(count: number): number
  /** Between `low` and `high`, each value equally likely. */
  between(low: number, high: number): number
  /** At most `count` different elements, in random order. */
  sample<T>(from: readonly T[], count: number): T[]
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    between: (low, high) => low + next() * (high - low),
    sample(from, count) {
      const picked = new Set<number>()
      const wanted = Math.min(count, from.length)
      while (picked.size < wanted) picked.add(below(from.length))
      return [...picked].flatMap(index => from.slice(index, index + 1))
    },
  }
}
