/** A web server in the model: one access line, one pipe for each answer, and the time limits of the real client. */
import { SwarmError } from '../../swarm/errors.ts'
import { fill } from '../../swarm/origin/intake.ts'
import type { Origin } from '../../swarm/origin/origin.ts'
import type { ModelBlob } from './blob.ts'
import type { Random } from './random.ts'
import type { Timeline, Timer } from './timeline.ts'
import { Host, type HostSpeed, Pipe, type PipeQuality } from './wires.ts'

/** As undici reads them. */
const CHUNK_BYTES = 64 * 1024
/** The limits of `swarm/origin/origin.ts`: for a first byte, and between two chunks. */
const ANSWER_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 5_000

export type OriginState = 'up' | 'down' | 'silent' | 'lying' | 'empty'

export interface ModelOrigin {
  readonly url: string
  readonly host: Host
  state: OriginState
  /** Bytes of answers that left, piece layers included. */
  sentBytes(): number
  /** As one node sees it. `onAsk` is told of each range. */
  for(host: Host, quality: PipeQuality, onAsk: (offset: number, length: number) => void): Origin
}

interface Deps {
  readonly timeline: Timeline
  readonly random: Random
  readonly blob: ModelBlob
}

export function createModelOrigin(deps: Deps, url: string, speed: HostSpeed): ModelOrigin {
  const host = new Host(deps.timeline, url, speed)
  const origin: ModelOrigin = {
    url,
    host,
    state: 'up',
    sentBytes: () => host.up.movedBytes + host.controlBytes,
    for(client, quality, onAsk) {
      const idle: Idle = { connections: 0 }
      return {
        url,
        async fetchRange({ offset, length }, intake, signal) {
          onAsk(offset, length)
          const from = { origin, client, quality, idle, signal }
          const range = (bytes: Uint8Array) => bytes.subarray(offset, offset + length)
          for await (const chunk of answer(deps, from, range)) await fill(intake, chunk)
        },
        async fetchLayer(_digest, _length, signal) {
          const chunks: Uint8Array[] = []
          const from = { origin, client, quality, idle, signal }
          for await (const chunk of answer(deps, from, () => deps.blob.layer)) chunks.push(chunk)
          return Buffer.concat(chunks)
        },
        async close() {},
      }
    },
  }
  return origin
}

/** Connections that wait for their next request; the first one on each costs a round trip more. */
interface Idle {
  connections: number
}

interface Asked {
  readonly idle: Idle
  readonly origin: ModelOrigin
  readonly client: Host
  readonly quality: PipeQuality
  readonly signal: AbortSignal
}

async function* answer(
  { timeline, random, blob }: Deps,
  { origin, client, quality, idle, signal }: Asked,
  cut: (bytes: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  const pipe = new Pipe({ timeline, random }, origin.host, client, quality)
  const inbox = createInbox(timeline, signal)
  try {
    if (origin.state === 'down') await inbox.refuse(2 * quality.latencyMs)
    if (origin.state === 'silent') await inbox.refuse(CONNECT_TIMEOUT_MS)
    const isOpen = idle.connections > 0
    if (isOpen) idle.connections -= 1
    /* One round trip for a new connection, half of one for the request. */
    await timeline.clock.sleep((isOpen ? 1 : 3) * quality.latencyMs, signal)
    if (origin.state === 'empty') throw new SwarmError('ORIGIN_ABSENT', `${origin.url}: 404`)
    const bytes = cut(origin.state === 'lying' ? blob.wrongBytes : blob.bytes)
    void send(pipe, bytes, inbox.put)
    for (let received = 0; received < bytes.byteLength; ) {
      const chunk = await inbox.take()
      received += chunk.byteLength
      yield chunk
    }
    idle.connections += 1
  } finally {
    pipe.close()
  }
}

/** Sends until the client closes the pipe. */
async function send(
  pipe: Pipe,
  bytes: Uint8Array,
  put: (chunk: Uint8Array) => void,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !pipe.isClosed; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES)
    await pipe
      .send(chunk.byteLength, () => put(chunk))
      .catch(() => {
        /* The client went away: the loop ends by its condition. */
      })
  }
}

interface Inbox {
  put(chunk: Uint8Array): void
  /** @throws SwarmError `ORIGIN_UNREACHABLE` when nothing comes in time; the signal's reason. */
  take(): Promise<Uint8Array>
  /** Rejects after `ms`. */
  refuse(ms: number): Promise<never>
}

function createInbox(timeline: Timeline, signal: AbortSignal): Inbox {
  const chunks: Uint8Array[] = []
  let wake: (() => void) | undefined
  const unreachable = (): SwarmError => new SwarmError('ORIGIN_UNREACHABLE', 'no answer in time')
  return {
    put(chunk) {
      chunks.push(chunk)
      wake?.()
    },
    async refuse(ms) {
      await timeline.clock.sleep(ms, signal)
      throw unreachable()
    },
    take() {
      signal.throwIfAborted()
      const ready = chunks.shift()
      if (ready !== undefined) return Promise.resolve(ready)
      return new Promise((resolve, reject) => {
        const stop = (): void => finish(() => reject(signal.reason))
        const late: Timer = timeline.after(ANSWER_TIMEOUT_MS, () =>
          finish(() => reject(unreachable())),
        )
        const finish = (settle: () => void): void => {
          wake = undefined
          timeline.cancel(late)
          signal.removeEventListener('abort', stop)
          settle()
        }
        wake = () => {
          const chunk = chunks.shift()
          if (chunk !== undefined) finish(() => resolve(chunk))
        }
        signal.addEventListener('abort', stop, { once: true })
      })
    },
  }
}
