/** Whether there is room for a new generation, before anything is written: image layers, and copies of data. */
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobRef, releaseBlobs, type VerifiedRelease } from '../catalog/index.ts'
import { hexOf } from '../src/core/digest.ts'
import { FileError } from '../src/core/files.ts'
import { appDataFolder, type Context } from './context.ts'
import type { AppRecord } from './record.ts'
import { updateTerms } from './update-terms.ts'

/** What Podman, systemd's journal and the apps need to go on; a small update must not take the last byte. */
const FREE_BYTES_MIN = 256 * 2 ** 20
/** For everything that is not counted: file system overhead, layers that take more blocks than bytes. */
const MARGIN_DIVISOR = 10
/** Compressed layers of Debian images unpack to 2.3 to 2.9 times their size. */
const UNPACKED_RATIO = 3

/** @throws FileError `DISK_FULL` with what is needed and what is free; nothing was written */
export async function assertSpace(
  context: Context,
  release: VerifiedRelease,
  record: AppRecord,
  trusted: ReadonlySet<string>,
): Promise<void> {
  if (context.options.mode === 'render') return
  const { podman } = context.deps
  const places = [
    { folder: await podman.storageFolder(), bytes: imageBytes(release, trusted) },
    { folder: context.options.dataFolder, bytes: await copyBytes(context, release, record) },
  ]
  const disks = new Map<number, { folder: string; bytes: number }>()
  for (const { folder, bytes } of places) {
    const { dev } = await stat(folder)
    disks.set(dev, { folder, bytes: bytes + (disks.get(dev)?.bytes ?? 0) })
  }
  for (const { folder, bytes } of disks.values()) {
    if (bytes === 0) continue
    const { bavail, bsize } = await statfs(folder)
    const problem = spaceProblem(bytes, bavail * bsize)
    if (problem === undefined) continue
    const { app, version } = release.entry
    throw new FileError('DISK_FULL', `${app} ${version} needs ${problem} on the disk of ${folder}`)
  }
}

/** Pure: `undefined` when it fits. */
export function spaceProblem(neededBytes: number, freeBytes: number): string | undefined {
  const wanted = neededBytes + Math.ceil(neededBytes / MARGIN_DIVISOR) + FREE_BYTES_MIN
  if (freeBytes >= wanted) return undefined
  return `${mebibytes(wanted)} free, and ${mebibytes(freeBytes)} are`
}

function imageBytes(release: VerifiedRelease, trusted: ReadonlySet<string>): number {
  const present = new Set(
    Object.values(release.manifest.images)
      .flatMap(({ platforms }) => platforms[release.platform] ?? [])
      .filter(({ config }) => trusted.has(hexOf(config.sha256)))
      .flatMap(({ layers }) => layers.map(({ blake3 }) => blake3)),
  )
  return releaseBlobs(release.manifest, release.platform)
    .filter(({ blake3 }) => !present.has(blake3))
    .reduce((sum, blob) => sum + unpackedBytes(blob), 0)
}

function unpackedBytes({ size, mediaType }: BlobRef): number {
  return /\+(gzip|zstd)$/.test(mediaType) ? size * UNPACKED_RATIO : size
}

async function copyBytes(
  { options, deps }: Context,
  { manifest }: VerifiedRelease,
  record: AppRecord,
): Promise<number> {
  const { saves } = updateTerms(manifest)
  if (record.committed === undefined || saves.length === 0) return 0
  const folder = appDataFolder(options, record.id)
  if (await deps.podman.sharesBlocks(folder)) return 0
  const sizes = await Promise.all(saves.map(set => deps.podman.folderBytes(join(folder, set))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
