/** Where the files of a blob are: two levels of folders, so that none grows large. Pure. */
import { join } from 'node:path'
import { type Digest, hexOf, parseDigest } from '../../src/core/digest.ts'

export interface BlobPaths {
  readonly folder: string
  /** The bytes themselves; sparse until the blob is complete. */
  readonly data: string
  /** The piece layer. */
  readonly layer: string
  /** Which pieces are verified and survive a power cut. */
  readonly bitfield: string
}

export function blobPathsOf(blobsFolder: string, digest: Digest): BlobPaths {
  const hex = hexOf(digest)
  const folder = join(blobsFolder, hex.slice(0, 2), hex.slice(2, 4))
  const base = join(folder, hex)
  return { folder, data: `${base}.data`, layer: `${base}.pieces`, bitfield: `${base}.bitfield` }
}

/** The blob that a file name in the store belongs to, or `undefined` for a foreign file. */
export function digestOfFileName(name: string): Digest | undefined {
  const hex = /^([0-9a-f]{64})\.(?:data|pieces|bitfield)$/.exec(name)?.[1]
  return hex === undefined ? undefined : parseDigest(`blake3:${hex}`)
}

/** True for what `writeFileAtomic` leaves behind when the process is killed. */
export function isLeftover(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}
