/** Nodes of the BLAKE3 tree over bytes and over chaining values. @see BLAKE3 paper §2.1 */
import { CHUNK_BYTES, chunkChainingValue, parentChainingValue } from './compress.ts'
import { type KernelSpace, loadKernel, type TreeKernel } from './kernel.ts'
import { CHAINING_VALUE_BYTES } from './pieces.ts'

export interface Tree {
  /**
   * The chaining value of the subtree over `bytes`.
   * @param firstChunk index in the blob of the first chunk, below 2^32; a multiple of the subtree's size in chunks
   * @param isRoot true when `bytes` are the whole blob: the result is then its digest
   */
  foldBytes(bytes: Uint8Array, firstChunk: number, isRoot: boolean): Uint8Array
  /** The node above a row of chaining values that all stand on the same level. At least one value. */
  foldNodes(nodes: Uint8Array, isRoot: boolean): Uint8Array
}

/** @param kernel `undefined` for plain code only */
export function createTree(kernel: TreeKernel | undefined): Tree {
  function foldBytes(bytes: Uint8Array, firstChunk: number, isRoot: boolean): Uint8Array {
    if (bytes.length <= CHUNK_BYTES) return chunkChainingValue(bytes, firstChunk, isRoot)
    if (!isRoot && kernel?.takesChunks(bytes)) return kernel.foldChunks(bytes, firstChunk)
    const leftBytes = leftLength(bytes.length, CHUNK_BYTES)
    return parentChainingValue(
      foldBytes(bytes.subarray(0, leftBytes), firstChunk, false),
      foldBytes(bytes.subarray(leftBytes), firstChunk + leftBytes / CHUNK_BYTES, false),
      isRoot,
    )
  }

  function foldNodes(nodes: Uint8Array, isRoot: boolean): Uint8Array {
    if (nodes.length === CHAINING_VALUE_BYTES) return Uint8Array.from(nodes)
    if (!isRoot && kernel?.takesNodes(nodes.length)) return kernel.foldNodes(nodes)
    const leftBytes = leftLength(nodes.length, CHAINING_VALUE_BYTES)
    return parentChainingValue(
      foldNodes(nodes.subarray(0, leftBytes), false),
      foldNodes(nodes.subarray(leftBytes), false),
      isRoot,
    )
  }

  return { foldBytes, foldNodes }
}

/** The left subtree holds the largest power of two of units that is smaller than all. */
function leftLength(length: number, unit: number): number {
  const unitCount = Math.ceil(length / unit)
  return unit * 2 ** Math.floor(Math.log2(unitCount - 1))
}

/** Loaded once for each thread: it keeps 384 KiB and nothing between two calls. */
export const tree: Tree = createTree(loadKernel())

/** A tree for one more thread: what lies in the memory of `space` is hashed without being copied. */
export function createSharedTree(space: KernelSpace): Tree {
  return createTree(loadKernel(space))
}
