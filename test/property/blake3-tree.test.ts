/** Checks piece layers against two independent BLAKE3 implementations, at sizes around every boundary of the tree. */
import { blake3 } from '@noble/hashes/blake3.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { createPieceLayerBuilder } from '../../src/core/blake3/index.ts'
import { createKernelMemory, KERNEL_SPACE_BYTES, loadKernel } from '../../src/core/blake3/kernel.ts'
import { createTree } from '../../src/core/blake3/tree.ts'
import { digestOf, hexOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'

const KIB = 1024

/** Room for the largest piece and one chunk, beside two kernels: the second one, as a second thread would have it. */
const memory = createKernelMemory(2 * KERNEL_SPACE_BYTES + 4097 * KIB)
const inside = new Uint8Array(memory.buffer, 2 * KERNEL_SPACE_BYTES)

const plain = createTree(undefined)
const copying = createTree(loadKernel())
const inPlace = createTree(loadKernel({ memory, offset: KERNEL_SPACE_BYTES }))

/** Every way to fold the same bytes. */
const ways: Readonly<Record<string, typeof plain.foldBytes>> = {
  plain: plain.foldBytes,
  vectors: copying.foldBytes,
  'vectors, copied into shared memory': inPlace.foldBytes,
  'vectors, in place': (bytes, firstChunk, isRoot) => {
    inside.set(bytes)
    return inPlace.foldBytes(inside.subarray(0, bytes.length), firstChunk, isRoot)
  },
}

function foldVectors(bytes: Uint8Array): string {
  return Buffer.from(copying.foldBytes(bytes, 0, true)).toString('hex')
}

function checkTree(length: number, seed: number): void {
  const bytes = bytesOf(length, seed)
  const digest = hexOf(digestOf(bytes))
  for (const [name, foldBytes] of Object.entries(ways)) {
    const folded = Buffer.from(foldBytes(bytes, 0, true)).toString('hex')
    expect(folded, `${name}, ${length} bytes, seed ${seed}`).to.equal(digest)
  }
}

function checkBuilder(length: number, cuts: readonly number[]): void {
  const bytes = bytesOf(length, length)
  const builder = createPieceLayerBuilder(length)
  let offset = 0
  for (let turn = 0; offset < length; turn++) {
    const end = Math.min(length, offset + (cuts[turn % cuts.length] ?? length))
    builder.update(bytes.subarray(offset, end))
    offset = end
  }
  expect(builder.finish().digest, `${length} bytes`).to.equal(digestOf(bytes))
}

describe('BLAKE3 tree', () => {
  it('gives the digest of blake3-wasm one byte around every boundary', function () {
    this.timeout(20_000)
    for (const kib of [0, 1, 2, 3, 4, 5, 8, 15, 16, 32, 63, 64, 65, 128, 256]) {
      for (const extra of [-1, 0, 1]) {
        if (kib * KIB + extra >= 0) checkTree(kib * KIB + extra, kib)
      }
    }
  })

  it('gives the digest of blake3-wasm around the largest piece, and around what is copied at once', function () {
    this.timeout(20_000)
    for (const kib of [512, 1024, 4096]) {
      for (const extra of [-1025, 0, 1]) checkTree(kib * KIB + extra, kib)
    }
  })

  it('gives the digest of @noble/hashes, so that three implementations agree', () => {
    for (const length of [0, 1, 1024, 5000, 70_001]) {
      const bytes = bytesOf(length, 7)
      const noble = Buffer.from(blake3(bytes)).toString('hex')
      expect(foldVectors(bytes)).to.equal(noble)
    }
  })

  it('gives the digest of blake3-wasm for any size', function () {
    this.timeout(20_000)
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(1000), (length, seed) => checkTree(length, seed)),
      { numRuns: 60, interruptAfterTimeLimit: 3_000 },
    )
  })

  it('gives the same chaining value with vectors and without, anywhere in a blob', function () {
    this.timeout(20_000)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), fc.nat(2 ** 24), (length, place) => {
        const bytes = bytesOf(length, place)
        const expected = plain.foldBytes(bytes, place * 64, false)
        for (const [name, foldBytes] of Object.entries(ways)) {
          expect(foldBytes(bytes, place * 64, false), name).to.deep.equal(expected)
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 2_000 },
    )
  })

  it('builds piece layers that fold to the digest, however the stream is cut', function () {
    this.timeout(20_000)
    const sizes = [0, 1, 262_143, 262_144, 262_145, 524_288, 524_289, 800_000, 1_048_577]
    for (const size of sizes) checkBuilder(size, [100_003, 65_536, 400_000])
    fc.assert(
      fc.property(
        fc.nat(700_000),
        fc.array(fc.integer({ min: 1000, max: 500_000 }), { minLength: 1, maxLength: 5 }),
        checkBuilder,
      ),
      { numRuns: 20, interruptAfterTimeLimit: 3_000 },
    )
  })
})
