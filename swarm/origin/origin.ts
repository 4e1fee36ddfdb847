/** The HTTP origin as a source of bytes: Range requests over any static web server. The only user of `undici` in the swarm. */
import { Agent } from 'undici'
import { type Digest, hexOf } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import { SwarmError } from '../errors.ts'
import type { TokenBucket } from '../token-bucket.ts'
import type { Head } from './http-head.ts'
import { fill, type RangeIntake } from './intake.ts'
import { UnusualAnswer } from './range-connection.ts'
import { createRangePool, type RangePool } from './range-pool.ts'
import { streamAnswer } from './stream-answer.ts'

export interface Origin {
  /** The base URL: it names the origin in logs. */
  readonly url: string
  /**
   * Bytes `[offset, offset+length)` of a blob of `sizeBytes` go to the intake, exactly `length` when it resolves.
   * @throws SwarmError `ORIGIN_ABSENT` (404), `ORIGIN_REFUSED` (any other answer, or a wrong size), `ORIGIN_UNREACHABLE`;
   * what the intake threw.
   */
  fetchRange(range: BlobRange, intake: RangeIntake, signal: AbortSignal): Promise<void>
  /** The piece layer, exactly `length` bytes. @throws SwarmError as above. */
  fetchLayer(digest: Digest, length: number, signal: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

export interface BlobRange {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly offset: number
  readonly length: number
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
  const pool = createRangePool(new URL(url), {
    connectionsMax: CONNECTIONS_MAX,
    timeouts: {
      connectMs: CONNECT_TIMEOUT_MS,
      headMs: HEADERS_TIMEOUT_MS,
      bodyMs: BODY_TIMEOUT_MS,
    },
  })
  const access: Access = { agent, pool, isPlain: true, limits: deps.limits }

  return {
    url,
    fetchRange: ({ digest, sizeBytes, offset, length }, intake, signal) =>
      fetchInto(
        access,
        { url: new URL(pathOf(digest), url), sizeBytes, offset, length },
        intake,
        signal,
      ),
    async fetchLayer(digest, length, signal) {
      const layer = Buffer.alloc(length)
      let received = 0
      const intake: RangeIntake = {
        room: () => layer.subarray(received),
        advance(count) {
          received += count
          return undefined
        },
      }
      const wanted = { url: new URL(`${pathOf(digest)}.pieces`, url), sizeBytes: length }
      await fetchInto(access, { ...wanted, offset: 0, length }, intake, signal)
      return layer
    },
    async close() {
      pool.close()
      await agent.close()
    },
  }
}

function pathOf(digest: Digest): string {
  const hex = hexOf(digest)
  return `blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
}

interface Wanted {
  readonly url: URL
  readonly sizeBytes: number
  readonly offset: number
  readonly length: number
}

interface Access {
  readonly agent: Agent
  readonly pool: RangePool
  /** Until it gave an answer that only a whole HTTP library reads. */
  isPlain: boolean
  readonly limits: readonly TokenBucket[]
}

/** Ranges go the short way where the server takes it; everything else is left to undici. */
async function fetchInto(
  access: Access,
  wanted: Wanted,
  intake: RangeIntake,
  signal: AbortSignal,
): Promise<void> {
  const counted = countedIntake(access.limits, wanted, intake, signal)
  try {
    const isRange = wanted.length < wanted.sizeBytes
    if (!isRange || !access.isPlain || !(await fetchPlainly(access, wanted, counted, signal))) {
      await fetchWithLibrary(access.agent, wanted, counted, signal)
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SwarmError || counted.failure?.cause === error) throw error
    throw new SwarmError('ORIGIN_UNREACHABLE', `GET ${wanted.url.href}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (counted.received < wanted.length) {
    throw refused(wanted.url, `the body ended after ${counted.received} of ${wanted.length} bytes`)
  }
}

/** False when nothing came because the server is not as plain as that. */
async function fetchPlainly(
  access: Access,
  wanted: Wanted,
  intake: RangeIntake,
  signal: AbortSignal,
): Promise<boolean> {
  const { url } = wanted
  const checkHead = (head: Head): void => checkAnswer(head, wanted)
  const ask = { path: url.pathname + url.search, range: rangeOf(wanted), intake, checkHead }
  try {
    await access.pool.ask(ask, signal)
    return true
  } catch (error) {
    if (!(error instanceof UnusualAnswer)) throw error
    access.isPlain = false
    return false
  }
}

async function fetchWithLibrary(
  agent: Agent,
  wanted: Wanted,
  intake: RangeIntake,
  signal: AbortSignal,
): Promise<void> {
  const { origin, pathname, search } = wanted.url
  const headers = wanted.length === wanted.sizeBytes ? {} : { range: rangeOf(wanted) }
  const request = { origin, path: pathname + search, headers }
  const checkHead = (head: Head): void => checkAnswer(head, wanted)
  for await (const chunk of streamAnswer(agent, request, checkHead, signal)) {
    await fill(intake, chunk)
  }
}

interface CountedIntake extends RangeIntake {
  readonly received: number
  /** What the intake itself threw. */
  readonly failure: { readonly cause: unknown } | undefined
}

const NO_ROOM = new Uint8Array(1)

/** Counts what comes in, waits where a limit says so, and takes nothing beyond the range. */
function countedIntake(
  limits: readonly TokenBucket[],
  { url, length }: Wanted,
  intake: RangeIntake,
  signal: AbortSignal,
): CountedIntake {
  let received = 0
  let failure: CountedIntake['failure']
  const wait = async (count: number, before: Promise<void> | undefined): Promise<void> => {
    try {
      await before
    } catch (error) {
      failure = { cause: error }
      throw error
    }
    for (const limit of limits) {
      if (limit.bytesPerSecond !== undefined) await limit.take(count, signal)
    }
  }
  return {
    get received() {
      return received
    },
    get failure() {
      return failure
    },
    // One byte more shows that there is too much.
    room: () => (received < length ? intake.room() : NO_ROOM),
    advance(count) {
      received += count
      if (received > length) throw refused(url, `more than ${length} bytes`)
      const before = intake.advance(count)
      const isLimited = limits.some(({ bytesPerSecond }) => bytesPerSecond !== undefined)
      return before === undefined && !isLimited ? undefined : wait(count, before)
    },
  }
}

function rangeOf({ offset, length }: Wanted): string {
  return `bytes=${offset}-${offset + length - 1}`
}

function checkAnswer({ statusCode, headers }: Head, wanted: Wanted): void {
  const { url } = wanted
  const isWhole = wanted.length === wanted.sizeBytes
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
