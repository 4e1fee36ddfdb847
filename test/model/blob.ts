/** The blob of a model run, and a store that keeps in memory which of its pieces are held: the bytes are shared by all. */
import { pieceCountOf, pieceSizeOf } from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import { type Digest, parseDigest } from '../../src/core/digest.ts'
import type { Bitfield } from '../../swarm/bitfield.ts'
import { StoreError } from '../../swarm/errors.ts'
import type { BlobStore, BlobWriter, HeldBlob } from '../../swarm/ports.ts'
import { createRandom } from './random.ts'

const CHAINING_VALUE_BYTES = 32

export interface ModelBlob {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly pieceSizeBytes: number
  readonly pieceCount: number
  readonly bytes: Uint8Array
  /** The same with every bit flipped: what a liar sends. */
  readonly wrongBytes: Uint8Array
  readonly layer: Uint8Array
}

/** Every blob is the beginning of the same bytes, made once: a run has better things to do. */
let shared = { bytes: new Uint8Array(0), wrongBytes: new Uint8Array(0) }

function sharedBytes(sizeBytes: number): typeof shared {
  if (shared.bytes.byteLength >= sizeBytes) return shared
  const random = createRandom(sizeBytes)
  const words = new Uint32Array(Math.ceil(sizeBytes / 4))
  const wrong = new Uint32Array(words.length)
  for (let index = 0; index < words.length; index += 1) {
    words[index] = random.below(2 ** 32)
    wrong[index] = ~words[index]!
  }
  shared = { bytes: new Uint8Array(words.buffer), wrongBytes: new Uint8Array(wrong.buffer) }
  return shared
}

export function createModelBlob(sizeBytes: number, seed: number): ModelBlob {
  const random = createRandom(seed)
  const { bytes, wrongBytes } = sharedBytes(sizeBytes)
  const pieceCount = pieceCountOf(sizeBytes)
  const layer = Uint8Array.from({ length: pieceCount * CHAINING_VALUE_BYTES }, () =>
    random.below(256),
  )
  return {
    digest: parseDigest(`blake3:${Buffer.from(layer.subarray(0, 32)).toString('hex')}`),
    sizeBytes,
    pieceSizeBytes: pieceSizeOf(sizeBytes),
    pieceCount,
    bytes: bytes.subarray(0, sizeBytes),
    wrongBytes: wrongBytes.subarray(0, sizeBytes),
    layer,
  }
}

export interface ModelStore extends BlobStore {
  readonly heldPieces: Bitfield
  /** Pieces that came in wrong. */
  readonly mismatchCount: number
  /** True: what is read is wrong. */
  lies: boolean
}

/** The part of the store's contract that the swarm uses, for one blob. `isLean`: nobody looks at the bytes. */
export function createModelStore(
  blob: ModelBlob,
  heldPieces: Bitfield,
  isLean: boolean,
): ModelStore {
  let mismatchCount = 0
  let hasLayer = heldPieces.count > 0
  const { digest, sizeBytes, pieceSizeBytes, pieceCount } = blob
  const held: HeldBlob = {
    digest,
    sizeBytes,
    pieceSizeBytes,
    pieceCount,
    hasPiece: pieceIndex => heldPieces.has(pieceIndex),
    get heldPieceCount() {
      return heldPieces.count
    },
    get isComplete() {
      return heldPieces.count === pieceCount
    },
    lastUsedMs: 0,
  }
  const writer: BlobWriter = {
    blob: held,
    get hasPieceLayer() {
      return hasLayer
    },
    async setPieceLayer(layer) {
      if (Buffer.compare(layer, blob.layer) !== 0) {
        throw new StoreError('PIECE_LAYER_MISMATCH', 'the piece layer does not fold to the address')
      }
      hasLayer = true
    },
    async writePiece(pieceIndex, bytes) {
      if (!hasLayer) throw new StoreError('PIECE_LAYER_MISSING', 'no piece layer yet')
      if (heldPieces.has(pieceIndex)) return 'present'
      if (!isPiece(blob, pieceIndex, bytes)) {
        mismatchCount += 1
        return 'mismatch'
      }
      heldPieces.add(pieceIndex)
      return 'stored'
    },
    async sync() {},
    async finish() {
      if (!held.isComplete) throw new StoreError('PIECE_ABSENT', 'pieces are missing')
      return verifiedBlob(blob)
    },
    async [Symbol.asyncDispose]() {},
  }
  const store: Pick<ModelStore, ModelStoreKey> = {
    heldPieces,
    lies: false,
    get mismatchCount() {
      return mismatchCount
    },
    list: () => (heldPieces.count > 0 ? [held] : []),
    held: asked => (asked === digest && heldPieces.count > 0 ? held : undefined),
    verified: asked => (asked === digest && held.isComplete ? verifiedBlob(blob) : undefined),
    openWriter: async () => writer,
    async read(_digest, offset, length, into) {
      const bytes = (store.lies ? blob.wrongBytes : blob.bytes).subarray(offset, offset + length)
      if (!isLean) into?.set(bytes)
      return into ?? bytes
    },
    pieceLayer: async () => (hasLayer ? blob.layer : undefined),
    // Nobody cleans up in the model.
    lease: () => NOTHING_TO_END,
    memory: { take: lengthBytes => new Uint8Array(lengthBytes), give() {} },
  }
  return store as ModelStore
}

const NOTHING_TO_END: Disposable = { [Symbol.dispose]() {} }

type ModelStoreKey =
  | 'heldPieces'
  | 'mismatchCount'
  | 'lies'
  | 'list'
  | 'held'
  | 'verified'
  | 'openWriter'
  | 'read'
  | 'pieceLayer'
  | 'lease'
  | 'memory'

/** True when the bytes are the piece; a view of the blob itself at the right place needs no comparison. */
function isPiece(blob: ModelBlob, pieceIndex: number, bytes: Uint8Array): boolean {
  const offset = pieceIndex * blob.pieceSizeBytes
  const expected = blob.bytes.subarray(offset, offset + blob.pieceSizeBytes)
  if (bytes.byteLength !== expected.byteLength) return false
  if (bytes.buffer === expected.buffer) return bytes.byteOffset === expected.byteOffset
  return Buffer.compare(bytes, expected) === 0
}

/** The model has no disk, and nobody reads the file of a model node. */
function verifiedBlob({ digest, sizeBytes }: ModelBlob): VerifiedBlob {
  return { digest, sizeBytes, path: '/model' } as VerifiedBlob
}
