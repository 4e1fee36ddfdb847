/** One connection to the user's message bus: calls with a deadline, and the signals that were asked for. */
import { connect, type Socket } from 'node:net'
import { createClient, DBusError, type Message } from 'dbus-native'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import { HostError } from '../errors.ts'

export interface BusCall {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  /** D-Bus signature of the arguments. */
  readonly signature?: string
  readonly body?: readonly unknown[]
  readonly timeoutMs?: number
}

export interface Bus {
  /**
   * The value that comes back; variants are plain values.
   * @throws HostError `HOST_COMMAND_FAILED` for an error reply (see `errorNameOf`), `HOST_COMMAND_TIMEOUT`, `HOST_UNREACHABLE`
   */
  call(call: BusCall): Promise<unknown>
  /** From when it resolves on, signals that fit the rule come to `onSignal`. */
  match(rule: string): Promise<void>
  /** False for good once the connection is lost. */
  isOpen(): boolean
  close(): void
}

export interface BusSignal {
  readonly path: string
  readonly member: string
  readonly body: readonly unknown[]
}

export interface BusListener {
  onSignal(signal: BusSignal): void
  /** Once, when the connection ends for any reason. */
  onLost(): void
}

/** Longer than a reload with a hundred generated units takes on a slow board, during which systemd answers nobody. */
const CALL_TIMEOUT_MS = 60_000
/** A list of a thousand units is 300 kB. */
const MESSAGE_BYTES_MAX = 16 * 2 ** 20
const SIGNAL = 4

/** @throws HostError `HOST_UNREACHABLE`, `HOST_COMMAND_TIMEOUT` */
export async function openBus(socketPath: string, listener: BusListener): Promise<Bus> {
  const socket = await dial(socketPath)
  // Without the library's own greeting, which throws past its callers when it is not answered.
  const client = createClient({
    stream: socket,
    direct: true,
    authMethods: ['EXTERNAL'],
    maxMessageSize: MESSAGE_BYTES_MAX,
  })
  let isOpen = true
  let waiting = 0
  client.connection.on('message', (message: Message) => {
    if (message.type !== SIGNAL) return
    const { path = '', member = '', body = [] } = message
    listener.onSignal({ path, member, body })
  })
  // What it was is said by the calls that fail with it.
  client.connection.on('error', () => socket.destroy())
  socket.once('close', () => {
    isOpen = false
    listener.onLost()
  })
  socket.once('end', () => socket.destroy())

  /** An idle connection must not keep a program alive that is done. */
  async function call(request: BusCall): Promise<unknown> {
    const { timeoutMs = CALL_TIMEOUT_MS, body, ...head } = request
    const message = { ...head, ...(body === undefined ? {} : { body: [...body] }) }
    if (waiting++ === 0) socket.ref()
    try {
      return await client.invoke<unknown>(message, { timeout: timeoutMs })
    } catch (error) {
      throw failureOf(request, error)
    } finally {
      if (--waiting === 0) socket.unref()
    }
  }
  const askBus = (member: string, ...body: readonly string[]): Promise<unknown> =>
    call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member,
      ...(body.length === 0 ? {} : { signature: 's', body }),
    })
  try {
    await askBus('Hello')
  } catch (error) {
    socket.destroy()
    throw error
  }
  return {
    call,
    async match(rule) {
      await askBus('AddMatch', rule)
    },
    isOpen: () => isOpen,
    close: () => socket.destroy(),
  }
}

/** The name of the error that the other side replied with, such as `org.freedesktop.systemd1.NoSuchUnit`. */
export function errorNameOf(error: unknown): string | undefined {
  const cause = error instanceof HostError ? error.cause : undefined
  return cause instanceof DBusError ? cause.dbusName : undefined
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', error => {
      const fix = 'is dbus-user-session installed, and linger enabled for this user?'
      const text = `nothing answers on the user's bus ${path} (${codeOf(error) ?? messageOf(error)}); ${fix}`
      reject(new HostError('HOST_UNREACHABLE', text, { cause: error }))
    })
  })
}

function failureOf(call: BusCall, error: unknown): HostError {
  const what = `${call.member} ${call.body?.[0] ?? ''}`.trim()
  const options = { cause: error }
  const code = codeOf(error)
  if (code === 'ETIMEDOUT') {
    return new HostError('HOST_COMMAND_TIMEOUT', `no answer to ${what} in time`, options)
  }
  if (code === 'ECONNCLOSED') {
    return new HostError('HOST_UNREACHABLE', `the user's bus went away during ${what}`, options)
  }
  return new HostError('HOST_COMMAND_FAILED', `${what}: ${messageOf(error)}`, options)
}
