/**
 * The BLAKE3 compression function and the nodes made with it, in plain TypeScript: for the ragged end of a blob, and
 * for everything on a machine whose processor has no 128-bit vectors.
 * @see BLAKE3 paper §2.2–2.5
 */

export const CHUNK_BYTES = 1024
const BLOCK_BYTES = 64

const CHUNK_START = 1
const CHUNK_END = 2
const PARENT = 4
const ROOT = 8

export const INITIAL_WORDS = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const

const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8] as const
const ROUND_COUNT = 7

/** For each round, which message word goes where. */
export const SCHEDULE: readonly (readonly number[])[] = Array.from({ length: ROUND_COUNT }).reduce<
  number[][]
>(rounds => {
  const last = rounds.at(-1)
  return [
    ...rounds,
    last ? PERMUTATION.map(from => last[from] ?? 0) : PERMUTATION.map((_, index) => index),
  ]
}, [])

/** The four columns, then the four diagonals, of the state seen as a 4×4 matrix. */
export const LANES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const

/**
 * The chaining value of one chunk of at most 1024 bytes.
 * @param chunkIndex position in the whole blob, below 2^32
 * @param isRoot true when the chunk is the whole blob
 */
export function chunkChainingValue(
  chunk: Uint8Array,
  chunkIndex: number,
  isRoot = false,
): Uint8Array {
  const chain = Int32Array.from(INITIAL_WORDS)
  const blockCount = Math.max(1, Math.ceil(chunk.length / BLOCK_BYTES))
  for (let blockIndex = 0; blockIndex < blockCount; blockIndex++) {
    const block = chunk.subarray(blockIndex * BLOCK_BYTES, (blockIndex + 1) * BLOCK_BYTES)
    const isLast = blockIndex === blockCount - 1
    const flags =
      (blockIndex === 0 ? CHUNK_START : 0) | (isLast ? CHUNK_END | (isRoot ? ROOT : 0) : 0)
    compress(chain, block, chunkIndex, flags)
  }
  return toBytes(chain)
}

/** The chaining value of the node above two others. `isRoot`: the node is the top of the tree. */
export function parentChainingValue(
  left: Uint8Array,
  right: Uint8Array,
  isRoot = false,
): Uint8Array {
  const chain = Int32Array.from(INITIAL_WORDS)
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(left, 0)
  block.set(right, left.length)
  compress(chain, block, 0, PARENT | (isRoot ? ROOT : 0))
  return toBytes(chain)
}

/** Compresses one block of at most 64 bytes into `chain`, in place. */
function compress(chain: Int32Array, block: Uint8Array, counter: number, flags: number): void {
  const words = wordsOf(block)
  const state = new Int32Array(16)
  for (let index = 0; index < 8; index++) state[index] = at(chain, index)
  for (let index = 0; index < 4; index++) state[index + 8] = INITIAL_WORDS[index] ?? 0
  state[12] = counter
  state[14] = block.length
  state[15] = flags
  for (const order of SCHEDULE) {
    let next = 0
    for (const [a, b, c, d] of LANES) {
      mix(state, a, b, c, d, at(words, order[next] ?? 0), at(words, order[next + 1] ?? 0))
      next += 2
    }
  }
  for (let index = 0; index < 8; index++) chain[index] = at(state, index) ^ at(state, index + 8)
}

/** The quarter round, "G" in the paper. */
function mix(
  state: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  x: number,
  y: number,
): void {
  let va = at(state, a)
  let vb = at(state, b)
  let vc = at(state, c)
  let vd = at(state, d)
  va = (va + vb + x) | 0
  vd = rotateRight(vd ^ va, 16)
  vc = (vc + vd) | 0
  vb = rotateRight(vb ^ vc, 12)
  va = (va + vb + y) | 0
  vd = rotateRight(vd ^ va, 8)
  vc = (vc + vd) | 0
  vb = rotateRight(vb ^ vc, 7)
  state[a] = va
  state[b] = vb
  state[c] = vc
  state[d] = vd
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

/** Indexes here are constants below the length; the type system cannot see that. */
function at(words: Int32Array, index: number): number {
  return words[index] ?? 0
}

function wordsOf(block: Uint8Array): Int32Array {
  const words = new Int32Array(BLOCK_BYTES / 4)
  for (let index = 0; index < block.length; index++) {
    words[index >> 2] = at(words, index >> 2) | ((block[index] ?? 0) << ((index & 3) * 8))
  }
  return words
}

function toBytes(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  const view = new DataView(bytes.buffer)
  words.forEach((word, index) => {
    view.setInt32(index * 4, word, true)
  })
  return bytes
}
