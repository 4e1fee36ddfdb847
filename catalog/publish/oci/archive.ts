/** Unpacks an `oci-archive` tar file. The only importer of `tar-stream`; nothing but the files of a layout comes out. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { messageOf } from '../../../src/core/errors.ts'
import { asDiskFull } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import { ARCHIVE_ENTRY_COUNT_MAX, LAYER_BYTES_MAX, OCI_DOCUMENT_BYTES_MAX } from '../limits.ts'

const BLOCK_BYTES = 512
/** Two zero blocks end a tar file. */
const END_BYTES = 2 * BLOCK_BYTES
const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * @param name for messages
 * @throws PublishError `OCI_TRUNCATED`, `OCI_INVALID`
 * @throws FileError `DISK_FULL`
 */
export async function extractArchive(path: string, name: string, into: string): Promise<void> {
  await checkEnds(path, name)
  const seen = new Set<string>()
  const archive = extract()
  // The loop below ends with the same failure when reading fails in the middle of it.
  const reading = pipeline(createReadStream(path), archive).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  try {
    let count = 0
    for await (const entry of archive) {
      count += 1
      if (count > ARCHIVE_ENTRY_COUNT_MAX) {
        throw invalid(name, `holds more than ${ARCHIVE_ENTRY_COUNT_MAX} files`)
      }
      const target = targetOf(entry.header, name)
      if (target === undefined) {
        entry.resume()
        continue
      }
      if (seen.has(target)) throw invalid(name, `holds ${target} twice`)
      seen.add(target)
      await write(entry, join(into, target))
    }
    const failure = await reading
    if (failure !== undefined) throw failure.error
  } catch (error) {
    throw explain(error, name)
  }
}

/** Cheap checks first: a file that was cut off has no end mark, whatever else it holds. */
async function checkEnds(path: string, name: string): Promise<void> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const start = Buffer.alloc(4)
  await file.read(start, 0, start.length, 0)
  if (start.subarray(0, 2).equals(GZIP) || start.equals(ZSTD)) {
    throw invalid(
      name,
      'is a compressed archive; decompress it first (its layers may stay compressed)',
    )
  }
  const end = Buffer.alloc(END_BYTES, 1)
  if (size >= END_BYTES) await file.read(end, 0, END_BYTES, size - END_BYTES)
  if (size % BLOCK_BYTES !== 0 || end.some(byte => byte !== 0)) {
    throw new PublishError(
      'OCI_TRUNCATED',
      `${name}: the archive ends after ${size} bytes, too early`,
    )
  }
}

/** Where a file of the archive belongs; `undefined` for folders. Anything but a plain layout file is refused. */
function targetOf(header: Header, name: string): string | undefined {
  const path = header.name.replace(/^\.\//, '')
  if (header.type === 'directory') return undefined
  if (header.type !== 'file') {
    throw invalid(name, `holds ${JSON.stringify(path.slice(0, 80))}, which is a ${header.type}`)
  }
  const isBlob = /^blobs\/sha256\/[0-9a-f]{64}$/.test(path)
  if (!isBlob && path !== 'index.json' && path !== 'oci-layout' && path !== 'manifest.json') {
    throw invalid(name, `holds ${JSON.stringify(path.slice(0, 80))}, which no OCI archive has`)
  }
  const limit = isBlob ? LAYER_BYTES_MAX : OCI_DOCUMENT_BYTES_MAX
  if ((header.size ?? 0) > limit) throw invalid(name, `${path} is larger than ${limit} bytes`)
  return path
}

async function write(entry: AsyncIterable<unknown>, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await pipeline(entry, createWriteStream(path, { flags: 'wx' }))
  } catch (error) {
    throw asDiskFull(error, path)
  }
}

function explain(error: unknown, name: string): unknown {
  const message = messageOf(error)
  if (message === 'Unexpected end of data') {
    return new PublishError('OCI_TRUNCATED', `${name}: the archive ends in the middle of a file`, {
      cause: error,
    })
  }
  return message.startsWith('Invalid tar header') ? invalid(name, message, error) : error
}

function invalid(name: string, why: string, cause?: unknown): PublishError {
  return new PublishError('OCI_INVALID', `${name}: ${why}`, { cause })
}
