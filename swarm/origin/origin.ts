/** The HTTP origin as a source of bytes: Range requests over any static web server. The only user of `undici` in the swarm. */
import { Agent } from 'undici'
import { type Digest, hexOf } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import { SwarmError } from '../errors.ts'
import type { TokenBucket } from '../token-bucket.ts'
import { type Head, streamAnswer } from './stream-answer.ts'

export interface Origin {
  /** The base URL: it names the origin in logs. */
  readonly url: string
  /**
   * Bytes `[offset, offset+length)` of a blob of `sizeBytes`, in chunks, exactly `length` in all.
   * @throws SwarmError `ORIGIN_ABSENT` (404), `ORIGIN_REFUSED` (any other answer, or a wrong size), `ORIGIN_UNREACHABLE`.
   */
  fetchRange(
    range: { digest: Digest; sizeBytes: number; offset: number; length: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>
  /** The piece layer, exactly `length` bytes. @throws SwarmError as above. */
  fetchLayer(digest: Digest, length: number, signal: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 5_000
const HEADERS_TIMEOUT_MS = 10_000
/** Between two chunks of an answer. */
const BODY_TIMEOUT_MS = 10_000
/** Over all blobs of one origin; a download has three of its own. */
const CONNECTIONS_MAX = 8

export function createOrigin(deps: { limits: readonly TokenBucket[] }, baseUrl: string): Origin {
  const url = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
    /* Ranges of one origin run side by side; as streams of one connection they would wait for each other. */
    allowH2: false,
  })
  const fetch = (path: string, range: Wanted, signal: AbortSignal): AsyncGenerator<Uint8Array> =>
    readRange(agent, new URL(path, url), range, { limits: deps.limits, signal })

  return {
    url,
    fetchRange: ({ digest, sizeBytes, offset, length }, signal) =>
      fetch(pathOf(digest), { sizeBytes, offset, length }, signal),
    async fetchLayer(digest, length, signal) {
      const chunks: Uint8Array[] = []
      const whole = { sizeBytes: length, offset: 0, length }
      for await (const chunk of fetch(`${pathOf(digest)}.pieces`, whole, signal)) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
    close: () => agent.close(),
  }
}

function pathOf(digest: Digest): string {
  const hex = hexOf(digest)
  return `blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
}

interface Wanted {
  readonly sizeBytes: number
  readonly offset: number
  readonly length: number
}

async function* readRange(
  agent: Agent,
  url: URL,
  wanted: Wanted,
  options: { limits: readonly TokenBucket[]; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { signal } = options
  const isWhole = wanted.length === wanted.sizeBytes
  const last = wanted.offset + wanted.length - 1
  const headers = isWhole ? {} : { range: `bytes=${wanted.offset}-${last}` }
  const { origin, pathname: path } = url
  const checkHead = (head: Head): void => checkAnswer(head, url, wanted, isWhole)
  let received = 0
  try {
    for await (const chunk of streamAnswer(agent, { origin, path, headers }, checkHead, signal)) {
      received += chunk.byteLength
      if (received > wanted.length) throw refused(url, `more than ${wanted.length} bytes`)
      for (const limit of options.limits) {
        if (limit.bytesPerSecond !== undefined) await limit.take(chunk.byteLength, signal)
      }
      yield chunk
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SwarmError) throw error
    throw new SwarmError('ORIGIN_UNREACHABLE', `GET ${url.href}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (received < wanted.length) {
    throw refused(url, `the body ended after ${received} of ${wanted.length} bytes`)
  }
}

function checkAnswer(
  { statusCode, headers }: Head,
  url: URL,
  wanted: Wanted,
  isWhole: boolean,
): void {
  if (statusCode === 404) {
    throw new SwarmError('ORIGIN_ABSENT', `the origin does not have ${url.href} (404)`)
  }
  if (statusCode !== (isWhole ? 200 : 206)) {
    const hint = statusCode === 200 ? ': it does not support Range requests' : ''
    throw refused(url, `status ${statusCode}${hint}`)
  }
  const range = headers['content-range']
  const last = wanted.offset + wanted.length - 1
  const expected = `bytes ${wanted.offset}-${last}/${wanted.sizeBytes}`
  if (!isWhole && range !== expected) {
    throw refused(url, `content-range ${JSON.stringify(range)} instead of ${expected}`)
  }
  const length = headers['content-length']
  if (length !== undefined && Number(length) !== wanted.length) {
    throw refused(url, `${String(length)} bytes instead of ${wanted.length}`)
  }
}

function refused(url: URL, why: string): SwarmError {
  return new SwarmError(
    'ORIGIN_REFUSED',
    `GET ${url.href} gave an answer that cannot be used: ${why}`,
  )
}
