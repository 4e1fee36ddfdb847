/** The tree kernel: whole groups of chunks, and rows of nodes, folded by WebAssembly with 128-bit vectors. */
import { readFileSync } from 'node:fs'
import { CHUNK_BYTES } from './compress.ts'
import { GROUP_CHUNKS_MAX, INPUT_OFFSET, NODES_MAX, NODES_OFFSET } from './kernel/generate.ts'
import { CHAINING_VALUE_BYTES } from './pieces.ts'

/** Folds complete subtrees that are not the root. Synchronous; about 1 ms for each MiB. */
export interface TreeKernel {
  /** True for a power of two of whole chunks that fits the kernel's memory. */
  takesChunks(lengthBytes: number): boolean
  foldChunks(chunks: Uint8Array, firstChunk: number): Uint8Array
  /** True for a power of two of chaining values that fits the kernel's memory. */
  takesNodes(lengthBytes: number): boolean
  foldNodes(nodes: Uint8Array): Uint8Array
}

interface KernelExports {
  readonly memory: WebAssembly.Memory
  foldChunks(count: number, firstChunk: number): void
  foldNodes(count: number): void
}

/** `undefined` on a processor without 128-bit vectors: the plain code then does everything. */
export function loadKernel(): TreeKernel | undefined {
  const code = readFileSync(new URL('kernel/kernel.wasm', import.meta.url))
  if (!WebAssembly.validate(code)) return undefined
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code))
  // The interface restates what kernel/generate.ts exports; the conformance test compiles and compares both.
  const { memory, foldChunks, foldNodes } = instance.exports as unknown as KernelExports
  const space = new Uint8Array(memory.buffer)
  const result = () => space.slice(NODES_OFFSET, NODES_OFFSET + CHAINING_VALUE_BYTES)
  return {
    takesChunks: lengthBytes => isPowerOfTwo(lengthBytes / CHUNK_BYTES, 4, GROUP_CHUNKS_MAX),
    foldChunks(chunks, firstChunk) {
      space.set(chunks, INPUT_OFFSET)
      foldChunks(chunks.length / CHUNK_BYTES, firstChunk)
      return result()
    },
    takesNodes: lengthBytes => isPowerOfTwo(lengthBytes / CHAINING_VALUE_BYTES, 2, NODES_MAX),
    foldNodes(nodes) {
      space.set(nodes, NODES_OFFSET)
      foldNodes(nodes.length / CHAINING_VALUE_BYTES)
      return result()
    },
  }
}

function isPowerOfTwo(count: number, min: number, max: number): boolean {
  return count >= min && count <= max && Number.isInteger(Math.log2(count))
}
