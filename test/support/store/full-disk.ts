/**
 * Fills the disk under a store in the middle of a download, then makes room again. Run by `runWithMounts`.
 * Usage: node full-disk.ts <empty folder> <tmpfs | ext4>
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'
import { openTestStore } from './open.ts'
import { checkedPieces, codeRejectedBy, sampleOf } from './samples.ts'

const MIB = 1024 * 1024
const [folder = '', kind = ''] = process.argv.slice(2)
const disk = join(folder, 'disk')
const filler = join(disk, 'filler')

function mountDisk(): void {
  mkdirSync(disk)
  if (kind === 'tmpfs') {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'none', disk])
    return
  }
  const image = join(folder, 'image')
  execFileSync('truncate', ['-s', '64M', image])
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mount', ['-o', 'loop', image, disk])
}

async function fillDiskExcept(freeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(disk)
  writeFileSync(filler, new Uint8Array(bavail * bsize - freeBytes))
}

mountDisk()
const sample = sampleOf(12 * MIB)
const tooLarge = sampleOf(1, 2)
let store = await openTestStore(join(disk, 'store'))
const refusedBefore = await codeRejectedBy(
  store.openWriter({ digest: tooLarge.id.digest, sizeBytes: 200 * MIB }),
)
let writer = await store.openWriter(sample.id)
const other = { digest: sampleOf(2).id.digest, sizeBytes: 40 * MIB }
const refusedBeside = await codeRejectedBy(store.openWriter(other))
await writer.setPieceLayer(sample.layer)
await fillDiskExcept(4 * MIB)

// All at once, as they come from many sources.
const writing = Array.from({ length: sample.pieceCount }, (_, index) =>
  writer.writePiece(index, sample.piece(index)),
)
const refused = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected')
const refusedWithin = refused?.status === 'rejected' ? codeOf(refused.reason) : undefined
const heldWhenFull = await checkedPieces(store, sample)
const closed = await codeRejectedBy(Promise.resolve(writer[Symbol.asyncDispose]()))
await codeRejectedBy(Promise.resolve(store[Symbol.asyncDispose]()))

/** The node is started again while the disk is still full: it says so, or works with what it holds. */
async function openWhileFull(): Promise<string> {
  try {
    await using opened = await openTestStore(join(disk, 'store'))
    const held = await checkedPieces(opened, sample)
    return held.length === heldWhenFull.length ? 'opened' : `lost ${held.length}`
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}
const startedWhileFull = await openWhileFull()
rmSync(filler)

store = await openTestStore(join(disk, 'store'))
const heldAfter = await checkedPieces(store, sample)
writer = await store.openWriter(sample.id)
const outcomes: Record<string, number> = { stored: 0, present: 0, mismatch: 0 }
for (let index = 0; index < sample.pieceCount; index++) {
  const outcome = await writer.writePiece(index, sample.piece(index))
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
}
const { sizeBytes } = await writer.finish()
await store[Symbol.asyncDispose]()
execFileSync('umount', [disk])
console.log(
  JSON.stringify({
    refusedBefore,
    refusedBeside,
    refusedWithin,
    closed,
    startedWhileFull,
    heldWhenFull: heldWhenFull.length,
    heldAfter: heldAfter.length,
    present: outcomes.present,
    finishedBytes: sizeBytes,
  }),
)
