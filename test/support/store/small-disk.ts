/**
 * Collects blobs on a disk that is too small for all of them. Run by `runWithMounts`.
 * Usage: node small-disk.ts <empty folder>
 */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { openTestStore } from './open.ts'
import { codeRejectedBy, fill, sampleOf } from './samples.ts'

const MIB = 1024 * 1024
const [folder = ''] = process.argv.slice(2)
const disk = join(folder, 'disk')
const NO_BOUND = { bytes: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(disk)
  return bavail * bsize
}

mkdirSync(disk)
const image = join(folder, 'image')
execFileSync('truncate', ['-s', '64M', image])
execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-m', '0', image])
execFileSync('mount', ['-o', 'loop', image, disk])

const [kept, old, older, next] = [
  sampleOf(12 * MIB, 1),
  sampleOf(12 * MIB, 2),
  sampleOf(12 * MIB, 3),
  sampleOf(24 * MIB, 4),
] as const
const result: Record<string, unknown> = {}
{
  await using store = await openTestStore(join(disk, 'store'), { minFreeBytes: MIB })
  await fill(store, kept)
  await fill(store, older)
  const path = await fill(store, old)
  // What an OCI layout is made of while an image is loaded.
  const staged = join(disk, 'staged')
  linkSync(path, staged)
  store.whenShort(async roomBytes => {
    await store.collect(
      digest => (digest === kept.id.digest ? { kind: 'keep', why: 'installed' } : { kind: 'seed' }),
      { roomBytes, unreachableBeforeMs: 0, isDryRun: false, budget: NO_BOUND },
    )
  })
  const before = await freeBytes()
  await fill(store, next)
  result.takenBytes = before - (await freeBytes())
  result.heldAfter = [kept, old, older, next].map(({ id }) => store.held(id.digest) !== undefined)

  // Everything that may go goes now, but a name elsewhere keeps the bytes on the disk.
  const large = { digest: sampleOf(1, 5).id.digest, sizeBytes: 44 * MIB }
  await store.remove(next.id.digest)
  result.refusedWhileStaged = await codeRejectedBy(store.openWriter(large))
  rmSync(staged)
  await using writer = await store.openWriter(large)
  result.openedWithBytes = writer.blob.sizeBytes
  result.keptAtTheEnd = store.held(kept.id.digest) !== undefined
}
execFileSync('umount', [disk])
console.log(JSON.stringify(result))
