/** Requests to Podman's REST socket, which systemd listens on: bounded, with a deadline, and started when it is not there. */
import { Agent, request } from 'undici'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import { HostError } from '../errors.ts'

export interface PodmanRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below the API's own folder, with the query: `/containers/json?all=true`. */
  readonly path: string
  /** Sent as JSON, or as it is when it is bytes. */
  readonly body?: Readonly<Record<string, unknown>> | Uint8Array
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface PodmanAnswer {
  readonly status: number
  /** What Podman says went wrong when `status` is 400 or more. */
  readonly problem: string
  readonly body: Buffer
}

export interface PodmanApi {
  /** Any status is an answer. @throws HostError `HOST_UNREACHABLE`, `HOST_COMMAND_TIMEOUT` */
  ask(request: PodmanRequest): Promise<PodmanAnswer>
  /** The parts of an answer, as they come, for as long as Podman sends them. @throws HostError, also `HOST_COMMAND_FAILED` */
  stream(request: PodmanRequest): Promise<AsyncIterable<Uint8Array>>
}

/** The oldest form of the API that has all we ask for; every Podman since 5.0 speaks it. */
const API = 'http://podman/v5.0.0/libpod'
/** As long as a reconcile pass may wait for one read; removing a container waits for nothing either. */
const TIMEOUT_MS_DEFAULT = 30_000
/** Hundreds of containers are well below. */
const ANSWER_BYTES_MAX = 16 * 2 ** 20
/** Requests at the same time; each is a goroutine and a lock there. */
const CONNECTIONS_MAX = 8
/** Nobody listens: the socket unit does not run. */
const ABSENT = ['ENOENT', 'ECONNREFUSED']
/** The service ends 5 s after its last request; a connection may be taken up in the very moment. */
const DROPPED = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']

/** `startSocket` is called when nobody listens on `socketPath`. */
export function createPodmanApi(socketPath: string, startSocket: () => Promise<void>): PodmanApi {
  const dispatcher = new Agent({
    connect: { socketPath },
    connections: CONNECTIONS_MAX,
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  async function send({ method, path, body, signal }: PodmanRequest, late?: AbortSignal) {
    const signals = [signal, late].filter(each => each !== undefined)
    return await request(`${API}${path}`, {
      ...{ method, dispatcher },
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
      ...bodyOf(body),
    })
  }

  async function begin(asked: PodmanRequest, late?: AbortSignal) {
    try {
      return await send(asked, late)
    } catch (error) {
      const code = codeOf(error) ?? ''
      if (ABSENT.includes(code)) {
        await startOr(socketPath, startSocket)
        return await send(asked, late)
      }
      // Not known to have been done: only what is the same when done twice is asked again.
      if (DROPPED.includes(code) && asked.method !== 'POST') return await send(asked, late)
      throw error
    }
  }

  return {
    async ask(asked) {
      const { timeoutMs = TIMEOUT_MS_DEFAULT } = asked
      const late = AbortSignal.timeout(timeoutMs)
      try {
        const response = await begin(asked, late)
        const body = await readBody(response.body)
        const { statusCode: status } = response
        return { status, body, problem: status < 400 ? '' : problemIn(body) }
      } catch (error) {
        asked.signal?.throwIfAborted()
        throw failureOf(asked, error, late.aborted ? timeoutMs : undefined)
      }
    },
    async stream(asked) {
      try {
        const response = await begin(asked)
        if (response.statusCode < 400) return response.body
        throw refusal(asked, problemIn(await readBody(response.body)))
      } catch (error) {
        asked.signal?.throwIfAborted()
        throw failureOf(asked, error, undefined)
      }
    },
  }
}

/** The error for an answer that its caller cannot use. */
export function refusal({ method, path }: PodmanRequest, problem: string): HostError {
  return new HostError('HOST_COMMAND_FAILED', `podman ${method} ${path}: ${problem}`)
}

/** `application/json` for words; anything but a form for bytes, which Podman would take for parameters. */
function bodyOf(body: PodmanRequest['body']) {
  if (body === undefined) return {}
  const isBytes = body instanceof Uint8Array
  const type = isBytes ? 'application/octet-stream' : 'application/json'
  return { body: isBytes ? body : JSON.stringify(body), headers: { 'content-type': type } }
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > ANSWER_BYTES_MAX)
      throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function problemIn(body: Buffer): string {
  const text = body.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'message' in value) {
      return String(value.message)
    }
  } catch {
    // Not Podman's own form of an error: its text says what there is to say.
  }
  return text.trim() === '' ? 'refused without a word' : text.trim().slice(0, 500)
}

async function startOr(socketPath: string, startSocket: () => Promise<void>): Promise<void> {
  try {
    await startSocket()
  } catch (error) {
    const fix = 'see "systemctl --user status podman.socket"'
    const text = `nobody listens on ${socketPath}, and podman.socket does not start: ${messageOf(error)}; ${fix}`
    throw new HostError('HOST_UNREACHABLE', text, { cause: error })
  }
}

function failureOf(asked: PodmanRequest, error: unknown, lateMs: number | undefined): HostError {
  if (error instanceof HostError) return error
  const what = `podman ${asked.method} ${asked.path}`
  const options = { cause: error }
  if (lateMs !== undefined) {
    return new HostError('HOST_COMMAND_TIMEOUT', `no answer to ${what} in ${lateMs} ms`, options)
  }
  return new HostError('HOST_UNREACHABLE', `${what}: ${messageOf(error)}`, options)
}
