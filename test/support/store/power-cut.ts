/**
 * Copies the disk under a store at many moments, as a power cut would leave it, then opens each copy: what ext4 had not
 * yet been told to write is missing from it. Run by `runWithMounts`. Prints, for each moment, how many pieces had been
 * promised safe and how many the copy holds; fails when a held piece is wrong.
 * Usage: node power-cut.ts <empty folder>
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../../src/core/log.ts'
import { openBlobStore } from '../../../swarm/store/open.ts'
import { createManualClock } from '../manual-clock.ts'
import { checkedPieces, sampleOf } from './samples.ts'

const MIB = 1024 * 1024
const [folder = ''] = process.argv.slice(2)
const image = join(folder, 'image')
const disk = join(folder, 'disk')

interface Moment {
  readonly name: string
  readonly copy: string
  readonly safeCount: number
}

const moments: Moment[] = []

/** Nothing of the store runs in this moment: the copy is one instant of the disk. */
function cutPower(name: string, safeCount: number): void {
  const copy = join(folder, `copy-${moments.length}`)
  execFileSync('cp', ['--sparse=always', image, copy])
  moments.push({ name, copy, safeCount })
}

mkdirSync(disk)
execFileSync('truncate', ['-s', '48M', image])
execFileSync('mkfs.ext4', ['-q', image])
execFileSync('mount', ['-o', 'loop', image, disk])

// The clock stands still, so that the store syncs only when it is told to.
const clock = createManualClock()
// Large enough for the threads that write pieces.
const sample = sampleOf(8 * MIB + 1000)
const store = await openBlobStore(
  { folder: join(disk, 'store'), clock, log: silentLog },
  { minFreeBytes: 0 },
)
cutPower('store opened', 0)
const writer = await store.openWriter(sample.id)
cutPower('writer opened', 0)
await writer.setPieceLayer(sample.layer)
cutPower('layer set', 0)
let safeCount = 0
for (let index = 0; index < sample.pieceCount; index++) {
  await writer.writePiece(index, sample.piece(index))
  if (index % 3 === 0) cutPower(`piece ${index} written`, safeCount)
  if (index % 5 !== 4) continue
  // Now and then the kernel writes early what nobody asked it to.
  if (index % 10 === 9) execFileSync('sync', ['-f', disk])
  cutPower(`piece ${index} written, not synced`, safeCount)
  await writer.sync()
  safeCount = index + 1
  cutPower(`piece ${index} synced`, safeCount)
}
await writer.finish()
cutPower('finished', sample.pieceCount)
await store[Symbol.asyncDispose]()
cutPower('closed', sample.pieceCount)
execFileSync('umount', [disk])

const results = []
for (const { name, copy, safeCount: promised } of moments) {
  execFileSync('mount', ['-o', 'loop', copy, disk])
  const opened = await openBlobStore(
    { folder: join(disk, 'store'), clock, log: silentLog },
    { minFreeBytes: 0 },
  )
  const held = await checkedPieces(opened, sample)
  const isVerified = opened.verified(sample.id.digest) !== undefined
  await opened[Symbol.asyncDispose]()
  execFileSync('umount', [disk])
  results.push({ name, promised, held: held.length, isVerified })
}
console.log(JSON.stringify({ pieceCount: sample.pieceCount, results }))
