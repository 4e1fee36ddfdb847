/** Reads catalog metadata from the origin over HTTP(S), under a bound of bytes and time. */
import { request } from 'undici'
import type { MetadataSource } from '../../catalog/index.ts'
import { messageOf } from '../core/errors.ts'

/** One small file; longer than a slow link needs for the largest of them, shorter than a person waits. */
const METADATA_TIMEOUT_MS = 20_000

/**
 * One origin as a source of the catalog. `baseUrl` ends in a slash.
 * @throws Error with the reason when it gives no answer; the catalog turns it into `METADATA_UNREACHABLE`.
 */
export function createHttpMetadataSource(baseUrl: string): MetadataSource {
  return sourceAt(baseUrl, 'catalog/')
}

/** The place of a publisher that no origin lists: names are below its base URL. */
export function createFeedSource(baseUrl: string): MetadataSource {
  return sourceAt(baseUrl, '')
}

function sourceAt(baseUrl: string, below: string): MetadataSource {
  let clockMs: number | undefined
  return {
    name: baseUrl,
    kind: 'origin',
    async get(name, maxBytes, signal) {
      const { bytes, dateMs } = await ask(new URL(`${below}${name}`, baseUrl), maxBytes, signal)
      // Without TLS anybody on the way could have written the date.
      if (baseUrl.startsWith('https:')) clockMs = dateMs
      return bytes
    },
    clockMs: () => clockMs,
  }
}

async function ask(url: URL, maxBytes: number, signal: AbortSignal | undefined): Promise<Answer> {
  try {
    return await getOne(url, maxBytes, signal)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new Error(`${url.origin}: ${messageOf(cause)}`, { cause })
  }
}

interface Answer {
  readonly bytes: Uint8Array | undefined
  readonly dateMs: number | undefined
}

async function getOne(
  url: URL,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const deadline = AbortSignal.timeout(METADATA_TIMEOUT_MS)
  const response = await request(url, {
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    headers: { 'cache-control': 'no-cache' },
  })
  if (response.statusCode === 404 || response.statusCode === 403) {
    await response.body.dump()
    return { bytes: undefined, dateMs: dateOf(response.headers.date) }
  }
  if (response.statusCode !== 200) {
    await response.body.dump()
    throw new Error(`HTTP status ${response.statusCode}`)
  }
  const bytes = await readBounded(response.body, maxBytes)
  return { bytes, dateMs: dateOf(response.headers.date) }
}

function dateOf(header: string | string[] | undefined): number | undefined {
  const timeMs = typeof header === 'string' ? Date.parse(header) : Number.NaN
  return Number.isFinite(timeMs) ? timeMs : undefined
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
