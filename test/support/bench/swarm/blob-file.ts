/** Blobs of any size in a folder that a web server can give out as an origin. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createPieceLayerBuilder } from '../../../../src/core/blake3/index.ts'
import { type Digest, hexOf } from '../../../../src/core/digest.ts'
import { randomBytesOf } from '../../images/random-bytes.ts'

export interface BlobFile {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly path: string
  /** Below the base URL of an origin on the folder. */
  readonly urlPath: string
}

/** Writes a blob of random bytes that depend on `seed` alone, and its piece layer. */
export async function makeBlob(folder: string, seed: string, sizeBytes: number): Promise<BlobFile> {
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `making-${seed}`)
  const file = createWriteStream(temporary, { highWaterMark: 8 * 1024 * 1024 })
  const builder = createPieceLayerBuilder(sizeBytes)
  for await (const bytes of randomBytesOf(seed, sizeBytes)) {
    builder.update(bytes)
    if (!file.write(bytes)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  const { digest, layer } = builder.finish()
  const hex = hexOf(digest)
  const urlPath = `blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
  const path = join(folder, urlPath)
  await mkdir(dirname(path), { recursive: true })
  await rename(temporary, path)
  if (layer !== undefined) await writeFile(`${path}.pieces`, layer)
  return { digest, sizeBytes, path, urlPath }
}
