/** The publisher of the story: the real command line, and an origin whose blobs can be taken away. */
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'

export interface Publisher extends OriginFolder, AsyncDisposable {
  /** Bytes of blobs that the origin has sent so far. */
  blobBytesServed(): number
  /** Bytes of all blobs at the origin, piece layers not counted. */
  blobBytes(): Promise<number>
  hideBlobs(): Promise<void>
  showBlobs(): Promise<void>
}

export async function openPublisher(address: { host: string; port: number }): Promise<Publisher> {
  const scratch = await mkdtemp(join(tmpdir(), 'archy-origin-'))
  const origin = await runOrigin(join(scratch, 'origin'))
  const blobs = join(origin.publicFolder, 'blobs')
  const hidden = join(scratch, 'blobs.hidden')
  const server: OriginServer = await serveOrigin(origin.publicFolder, {
    ...address,
    log: silentLog,
  })
  return {
    ...origin,
    blobBytesServed: () => server.stats().blobBytes,
    blobBytes: () => sizeOf(blobs),
    hideBlobs: () => rename(blobs, hidden),
    showBlobs: () => rename(hidden, blobs),
    async [Symbol.asyncDispose]() {
      await server.close()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && !entry.name.endsWith('.pieces'))
  const sizes = await Promise.all(
    files.map(async f => (await stat(join(f.parentPath, f.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
