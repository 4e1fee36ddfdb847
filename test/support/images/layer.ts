/**
 * Writes a layer: an uncompressed tar file whose bytes depend on the entries alone, named by its digest.
 * Not compressed, so that the bytes do not depend on a version of zlib, and the digest of the layer is its diff id.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type EventEmitter, once } from 'node:events'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack as createPack, type Header, type Pack } from 'tar-stream'
import type { FileEntry, LayerEntry } from './entry.ts'

/** The same for every file, or two builds would differ. */
const MTIME = new Date('2025-01-01T00:00:00Z')

type HeaderFields = Partial<Header> & Pick<Header, 'name'>

export const LAYER_MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar'

export interface Layer {
  /** `sha256:<hex>` of the tar file; also its diff id. */
  readonly digest: string
  readonly sizeBytes: number
  readonly path: string
}

/** Writes the entries, in the order given, as one layer file in `folder`; the same layer twice is one file. */
export async function writeLayer(folder: string, entries: readonly LayerEntry[]): Promise<Layer> {
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.layer-${randomBytes(6).toString('hex')}`)
  const hash = createHash('sha256')
  const pack = createPack()
  let sizeBytes = 0
  async function* tap(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk)
      sizeBytes += chunk.length
      yield chunk
    }
  }
  // Opened here: a stream that is given up while it opens would make its file after it was removed.
  const file = await open(temporary, 'wx')
  try {
    await Promise.all([
      pipeline(tap(pack), file.createWriteStream()),
      fill(pack, entries).catch((error: unknown) => {
        pack.destroy(error as Error)
        throw error
      }),
    ])
    const hex = hash.digest('hex')
    const path = join(folder, hex)
    await rename(temporary, path)
    return { digest: `sha256:${hex}`, sizeBytes, path }
  } finally {
    await rm(temporary, { force: true })
  }
}

async function fill(pack: Pack, entries: readonly LayerEntry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.kind === 'file') await addFile(pack, entry)
    else pack.entry(headerOf(entry))
  }
  pack.finalize()
}

function addFile(pack: Pack, entry: FileEntry): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = pack.entry(headerOf(entry), error => (error ? reject(error) : resolve()))
    const feed = async () => {
      for await (const chunk of entry.open()) {
        if (!sink.write(chunk)) await once(sink as unknown as EventEmitter, 'drain')
      }
      sink.end(undefined)
    }
    sink.on('error', reject)
    feed().catch((error: unknown) => sink.destroy(error as Error))
  })
}

function headerOf(entry: LayerEntry): HeaderFields {
  const name = entry.kind === 'folder' ? `${entry.path}/` : entry.path
  if (entry.kind === 'link') {
    return { name, type: 'symlink', linkname: entry.target, mode: 0o777, mtime: MTIME }
  }
  const { mode, uid, gid } = entry
  if (entry.kind === 'folder') return { name, type: 'directory', mode, uid, gid, mtime: MTIME }
  return { name, type: 'file', mode, uid, gid, size: entry.sizeBytes, mtime: MTIME }
}
