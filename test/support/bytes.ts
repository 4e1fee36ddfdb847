/** Deterministic test bytes without a short period, so that a swapped block or piece is always noticed. */
export function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let word = (seed * 2 + 1) | 0
  for (let index = 0; index < length; index++) {
    word = (Math.imul(word, 1664525) + 1013904223) | 0
    bytes[index] = word >>> 24
  }
  return bytes
}
