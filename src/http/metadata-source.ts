/** Reads catalog metadata from the origin over HTTP(S), under a bound of bytes and time. */
import { request } from 'undici'
import { messageOf } from '../core/errors.ts'

/** One small file; longer than a slow link needs for the largest of them, shorter than a person waits. */
const METADATA_TIMEOUT_MS = 20_000

export interface HttpMetadataSource {
  readonly name: string
  readonly kind: 'origin'
  /**
   * The bytes of `catalog/<name>`; `undefined` when the origin says that there is no such file.
   * @throws Error with the reason of each origin, when none gives an answer; the catalog turns it into
   *   `METADATA_UNREACHABLE`.
   */
  get(name: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
}

/** `baseUrls` end in a slash and are tried in turn; the first answer counts. */
export function createHttpMetadataSource(baseUrls: readonly string[]): HttpMetadataSource {
  return {
    name: baseUrls.join(', '),
    kind: 'origin',
    async get(name, maxBytes, signal) {
      const problems: string[] = []
      for (const base of baseUrls) {
        try {
          return await getOne(new URL(`catalog/${name}`, base), maxBytes, signal)
        } catch (error) {
          signal?.throwIfAborted()
          problems.push(`${base}: ${messageOf(error)}`)
        }
      }
      throw new Error(`no origin answered: ${problems.join('; ')}`)
    },
  }
}

async function getOne(
  url: URL,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const deadline = AbortSignal.timeout(METADATA_TIMEOUT_MS)
  const response = await request(url, {
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    headers: { 'cache-control': 'no-cache' },
  })
  if (response.statusCode === 404 || response.statusCode === 403) {
    await response.body.dump()
    return undefined
  }
  if (response.statusCode !== 200) {
    await response.body.dump()
    throw new Error(`HTTP status ${response.statusCode}`)
  }
  return await readBounded(response.body, maxBytes)
}

/** One byte more than allowed is kept, so that the reader sees that the limit was passed. */
async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes + 1)
}
