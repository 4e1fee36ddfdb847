/** The memory in which pieces arrive: shared by all threads, so that nobody copies a piece to hash or to write it. */
import assert from 'node:assert/strict'
import {
  createKernelMemory,
  KERNEL_SPACE_BYTES,
  type KernelSpace,
  PIECE_SIZE_BYTES_MAX,
  PIECE_SIZE_BYTES_MIN,
} from '../src/core/blake3/index.ts'
import { IN_FLIGHT_BYTES_MAX } from './limits.ts'

/** Below this a copy costs less than finding a place. */
const SHARED_BYTES_MIN = PIECE_SIZE_BYTES_MIN / 4
/** Places are halves of halves of these. */
const BLOCK_BYTES = PIECE_SIZE_BYTES_MAX
const BLOCK_COUNT = Math.floor(IN_FLIGHT_BYTES_MAX / BLOCK_BYTES)

export interface PieceMemory {
  /**
   * Room for one piece, filled with anything. Best taken when the first bytes of the piece come in, and given back when
   * `writePiece` has resolved or nobody wants the piece any more. Never fails: what is small, and what no longer fits into
   * `IN_FLIGHT_BYTES_MAX`, lies in memory of its own, which costs a copy later.
   */
  take(lengthBytes: number): Uint8Array
  /** Takes back what `take` returned. From now on it may be part of another piece: nobody may read or write it. */
  give(bytes: Uint8Array): void
}

/** What the piece workers need of the memory. */
export interface SharedPieceMemory extends PieceMemory {
  /** True for what lies in the shared memory. */
  isShared(bytes: Uint8Array): boolean
  /** The shared memory, and in it the work space of one thread. */
  spaceOf(workerIndex: number): KernelSpace
  /** Lets go of the shared memory when no piece lies in it. No thread may use it any more. */
  release(): void
}

/** A buddy allocator over one shared memory, which is made when it is first needed. */
export function createPieceMemory(workerCountMax: number): SharedPieceMemory {
  const piecesBytes = BLOCK_COUNT * BLOCK_BYTES
  let memory: WebAssembly.Memory | undefined
  /** Place → its size. */
  const taken = new Map<number, number>()
  /** Size → free places. The last one given is taken first: it is still in the caches, and what lies idle stays untouched. */
  const free = new Map<number, number[]>()
  for (let size = BLOCK_BYTES; size >= SHARED_BYTES_MIN; size /= 2) free.set(size, [])
  for (let block = BLOCK_COUNT - 1; block >= 0; block--) {
    free.get(BLOCK_BYTES)?.push(block * BLOCK_BYTES)
  }

  function shared(): WebAssembly.Memory {
    memory ??= createKernelMemory(piecesBytes + workerCountMax * KERNEL_SPACE_BYTES)
    return memory
  }
  /** A free place of exactly `size`, made from a larger one where there is none. */
  function findPlace(size: number): number | undefined {
    const place = free.get(size)?.pop()
    if (place !== undefined || size >= BLOCK_BYTES) return place
    const larger = findPlace(size * 2)
    if (larger !== undefined) free.get(size)?.push(larger + size)
    return larger
  }
  /** Joins a free place with its other half as often as that is free too. */
  function freePlace(place: number, size: number): void {
    const others = free.get(size) ?? []
    const index = size < BLOCK_BYTES ? others.indexOf(place ^ size) : -1
    if (index < 0) {
      others.push(place)
      return
    }
    others.splice(index, 1)
    freePlace(Math.min(place, place ^ size), size * 2)
  }
  const isShared = (bytes: Uint8Array) => bytes.buffer === memory?.buffer

  return {
    take(lengthBytes) {
      const size = sizeFor(lengthBytes)
      const place = size === undefined ? undefined : findPlace(size)
      if (size === undefined || place === undefined) return new Uint8Array(lengthBytes)
      taken.set(place, size)
      return new Uint8Array(shared().buffer, place, lengthBytes)
    },
    give(bytes) {
      if (!isShared(bytes)) return
      const size = taken.get(bytes.byteOffset)
      assert(size !== undefined, 'a piece is given back once, as it was taken')
      taken.delete(bytes.byteOffset)
      freePlace(bytes.byteOffset, size)
    },
    isShared,
    spaceOf: workerIndex => ({
      memory: shared(),
      offset: piecesBytes + workerIndex * KERNEL_SPACE_BYTES,
    }),
    release() {
      if (taken.size === 0) memory = undefined
    },
  }
}

/** `undefined` for what is too small or too large for the shared memory. */
function sizeFor(lengthBytes: number): number | undefined {
  if (lengthBytes < SHARED_BYTES_MIN || lengthBytes > BLOCK_BYTES) return undefined
  let size = SHARED_BYTES_MIN
  while (size < lengthBytes) size *= 2
  return size
}
