/** The tree kernel: complete subtrees of chunks, and rows of nodes, folded by WebAssembly with 128-bit vectors. */
import { readFileSync } from 'node:fs'
import { CHUNK_BYTES } from './compress.ts'
import { CHAINING_VALUE_BYTES, PIECE_SIZE_BYTES_MAX, PIECE_SIZE_BYTES_MIN } from './pieces.ts'

/** Folds complete subtrees that are not the root. Synchronous; about 0.6 ms for each MiB. */
export interface TreeKernel {
  /** True for a power of two of whole chunks: up to the largest piece in the kernel's own memory, less elsewhere. */
  takesChunks(bytes: Uint8Array): boolean
  foldChunks(chunks: Uint8Array, firstChunk: number): Uint8Array
  /** True for a power of two of chaining values that fits the kernel's memory. */
  takesNodes(lengthBytes: number): boolean
  foldNodes(nodes: Uint8Array): Uint8Array
}

/** Memory that the kernel works in: what lies in it is hashed without being copied. */
export interface KernelSpace {
  /** Shared, so that several threads can have a kernel over it. */
  readonly memory: WebAssembly.Memory
  /** Where this kernel has `KERNEL_SPACE_BYTES` of its own. */
  readonly offset: number
}

/** Bytes from elsewhere are copied in parts of this size; they stay in the second-level cache. */
const INPUT_BYTES = PIECE_SIZE_BYTES_MIN
/** A chaining value for every chunk of the largest piece. */
const NODES_BYTES = (PIECE_SIZE_BYTES_MAX / CHUNK_BYTES) * CHAINING_VALUE_BYTES
export const KERNEL_SPACE_BYTES = INPUT_BYTES + NODES_BYTES

/** The unit in which WebAssembly counts memory. */
const PAGE_BYTES = 65_536

interface KernelExports {
  foldChunks(input: number, count: number, firstChunk: number, nodes: number): void
  foldNodes(nodes: number, count: number): void
}

/** Memory for kernels and for what they hash. It costs nothing before it is touched. */
export function createKernelMemory(lengthBytes: number): WebAssembly.Memory {
  const pages = Math.ceil(lengthBytes / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

/** `undefined` on a processor without 128-bit vectors: the plain code then does everything. */
export function loadKernel(space?: KernelSpace): TreeKernel | undefined {
  const code = readFileSync(new URL('kernel/kernel.wasm', import.meta.url))
  if (!WebAssembly.validate(code)) return undefined
  const { memory, offset } = space ?? { memory: createKernelMemory(KERNEL_SPACE_BYTES), offset: 0 }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } })
  // The interface restates what kernel/generate.ts exports; the conformance test compiles and compares both.
  const { foldChunks, foldNodes } = instance.exports as unknown as KernelExports
  const input = new Uint8Array(memory.buffer, offset, INPUT_BYTES)
  const nodes = new Uint8Array(memory.buffer, offset + INPUT_BYTES, NODES_BYTES)
  const result = () => Uint8Array.from(nodes.subarray(0, CHAINING_VALUE_BYTES))
  const isInside = (bytes: Uint8Array) => bytes.buffer === memory.buffer
  return {
    takesChunks(bytes) {
      const maxBytes = isInside(bytes) ? PIECE_SIZE_BYTES_MAX : INPUT_BYTES
      return isPowerOfTwo(bytes.length / CHUNK_BYTES, 4, maxBytes / CHUNK_BYTES)
    },
    foldChunks(chunks, firstChunk) {
      const place = isInside(chunks) ? chunks : input
      if (place === input) input.set(chunks)
      foldChunks(place.byteOffset, chunks.length / CHUNK_BYTES, firstChunk, nodes.byteOffset)
      return result()
    },
    takesNodes: lengthBytes =>
      isPowerOfTwo(lengthBytes / CHAINING_VALUE_BYTES, 2, NODES_BYTES / CHAINING_VALUE_BYTES),
    foldNodes(row) {
      nodes.set(row)
      foldNodes(nodes.byteOffset, row.length / CHAINING_VALUE_BYTES)
      return result()
    },
  }
}

function isPowerOfTwo(count: number, min: number, max: number): boolean {
  return count >= min && count <= max && Number.isInteger(Math.log2(count))
}
