/** How a program talks to a running lab: one JSON line asks, one JSON line answers, over a Unix socket. */
import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import { LabError } from './errors.ts'

const name = z.string()

const Request = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('status') }),
  z.strictObject({ verb: z.literal('addNode'), name, diskBytes: z.number().int().positive() }),
  z.strictObject({ verb: z.literal('addHost'), name }),
  z.strictObject({ verb: z.literal('boot'), name }),
  z.strictObject({ verb: z.literal('off'), name }),
  z.strictObject({ verb: z.literal('reboot'), name }),
  z.strictObject({ verb: z.literal('powerCut'), name }),
  z.strictObject({ verb: z.literal('partition'), a: name, b: name }),
  z.strictObject({ verb: z.literal('heal') }),
  z.strictObject({ verb: z.literal('link'), name, isUp: z.boolean() }),
  z.strictObject({
    verb: z.literal('shape'),
    name,
    rateBitsPerSecond: z.number().positive().optional(),
  }),
])
export type Request = z.infer<typeof Request>

const Host = z.strictObject({ ip: z.string() })
const NodeStatus = z.strictObject({
  ip: z.string(),
  state: z.enum(['off', 'on', 'failed']),
  boot: z.number(),
  /** The cgroup of the present boot, below the lab's. */
  cgroup: z.string(),
  console: z.string(),
})
const Status = z.strictObject({
  nodes: z.record(name, NodeStatus),
  hosts: z.record(name, Host),
})
export type Status = z.infer<typeof Status>
export type NodeStatus = z.infer<typeof NodeStatus>

const Response = z.union([
  z.strictObject({ status: Status }),
  z.strictObject({ code: z.string(), message: z.string() }),
])

/** Every answer is the lab's status after the request. */
export type Handle = (request: Request) => Promise<Status>

/** The longest thing one can ask for is a reboot of a node on a busy machine. */
const REPLY_TIMEOUT_MS = 180_000

const LINE_CHARACTERS_MAX = 1024 * 1024

/** Linux keeps the path of a Unix socket in 108 bytes, with a zero at the end. */
const SOCKET_PATH_BYTES_MAX = 107

/** @throws LabError `LAB_USAGE` */
export function checkSocketPath(path: string): string {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  throw new LabError(
    'LAB_USAGE',
    `the socket path ${path} is longer than ${SOCKET_PATH_BYTES_MAX} bytes; set XDG_CACHE_HOME to a shorter folder`,
  )
}

/** Answers requests until disposed. */
export async function openControl(path: string, handle: Handle): Promise<AsyncDisposable> {
  const server = createServer(socket => {
    // The caller may be gone when its answer comes.
    socket.on('error', () => {})
    answer(socket, handle).catch((error: unknown) => socket.destroy(error as Error))
  })
  server.listen(checkSocketPath(path))
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/**
 * Asks the lab for one thing and waits until it is done.
 * @throws LabError with the lab's own code; `LAB_NOT_RUNNING` when nobody answers.
 */
export async function askLab(path: string, request: Request): Promise<Status> {
  const socket = createConnection(path)
  socket.setTimeout(REPLY_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    const line = await firstLine(socket)
    const response = Response.parse(JSON.parse(line))
    if ('status' in response) return response.status
    throw new LabError(labCode(response.code), response.message)
  } catch (error) {
    if (error instanceof LabError) throw error
    throw new LabError('LAB_NOT_RUNNING', `no lab answers at ${path}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    socket.destroy()
  }
}

function labCode(code: string): LabError['code'] {
  const codes: readonly LabError['code'][] = [
    'LAB_USAGE',
    'LAB_TIMEOUT',
    'LAB_NODE_UNKNOWN',
    'LAB_NODE_OFF',
    'LAB_BOOT_FAILED',
  ]
  return codes.find(known => known === code) ?? 'LAB_COMMAND_FAILED'
}

async function answer(socket: Socket, handle: Handle): Promise<void> {
  const line = await firstLine(socket)
  let response: z.infer<typeof Response>
  try {
    response = { status: await handle(Request.parse(JSON.parse(line))) }
  } catch (error) {
    response = { code: codeOf(error) ?? 'LAB_COMMAND_FAILED', message: messageOf(error) }
  }
  socket.end(`${JSON.stringify(response)}\n`)
}

/** Reads up to the first end of line; more than a status of a full lab is refused. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end !== -1) resolve(text.slice(0, end))
      else if (text.length > LINE_CHARACTERS_MAX) reject(new Error('the line is too long'))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection ended without an answer')))
  })
}
