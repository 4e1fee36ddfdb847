/** A slow, stalling or breaking line before any TCP address: the kernel of the lab has no netem, and Node no raw sockets. */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import type { Clock } from '../../../src/core/clock.ts'
import { IDLE_SHAPER, type Line, type ShaperState, scheduleChunk } from './shaper.ts'

export interface ProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
  /** Where it listens: loopback and any free port unless told. */
  readonly listen?: { readonly host?: string; readonly port?: number }
  readonly line?: Line
}

export interface LineProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Bytes given on so far. */
  readonly bytes: { readonly toTarget: number; readonly toClient: number }
  /** Changes the line, also for open connections; bytes that are on their way keep their time. */
  setLine(line: Line): void
  /** Connections stay open and new ones are taken, but no byte comes out until `resume`. */
  stall(): void
  resume(): void
  /** Breaks every open connection with a reset. */
  drop(): void
  /** Refuses new connections and breaks those there are, until `resume`. */
  cut(): void
}

interface Deps {
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

/** What one direction of one connection may hold; above it the sender is told to wait. */
const HELD_BYTES_MAX = 4 * 1024 * 1024

/** A chunk larger than what the line carries in this time is cut up, so that a slow line trickles instead of bursting. */
const TRICKLE_MS = 20

interface World {
  line: Line
  mode: 'open' | 'stalled' | 'cut'
  readonly bytes: { toTarget: number; toClient: number }
  readonly sockets: Set<Socket>
  /** Called whenever the mode changes. */
  readonly waiting: Set<() => void>
}

/** Opens a proxy; dispose it to close it with all its connections. */
export async function openProxy(deps: Deps, options: ProxyOptions): Promise<LineProxy> {
  const world: World = {
    line: options.line ?? {},
    mode: 'open',
    bytes: { toTarget: 0, toClient: 0 },
    sockets: new Set(),
    waiting: new Set(),
  }
  const server = createServer({ allowHalfOpen: true }, client => {
    if (world.mode === 'cut') client.resetAndDestroy()
    else joinSockets(deps, world, client, options.target)
  })
  server.listen(options.listen?.port ?? 0, options.listen?.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo

  function setMode(mode: World['mode']): void {
    world.mode = mode
    for (const wake of world.waiting) wake()
  }
  function drop(): void {
    for (const socket of world.sockets) socket.resetAndDestroy()
  }
  return {
    host: address,
    port,
    bytes: world.bytes,
    setLine(line) {
      world.line = line
    },
    stall: () => setMode('stalled'),
    resume: () => setMode('open'),
    drop,
    cut() {
      setMode('cut')
      drop()
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      drop()
      await closed
    },
  }
}

function joinSockets(
  deps: Deps,
  world: World,
  client: Socket,
  target: ProxyOptions['target'],
): void {
  const remote = createConnection({ ...target, allowHalfOpen: true })
  const both = [client, remote]
  for (const socket of both) {
    socket.setNoDelay(true)
    world.sockets.add(socket)
    // One end that breaks breaks the other, which is all there is to tell it.
    socket.on('error', () => {})
    socket.on('close', hadError => {
      world.sockets.delete(socket)
      for (const other of both) {
        if (hadError || !other.readableEnded) other.resetAndDestroy()
      }
    })
  }
  carry(deps, world, client, remote, 'toTarget')
  carry(deps, world, remote, client, 'toClient')
}

/** One direction: holds what comes in until it is due, then gives it on in order. */
function carry(
  { clock, random }: Deps,
  world: World,
  from: Socket,
  to: Socket,
  direction: keyof World['bytes'],
): void {
  const held: { readonly dueMs: number; readonly chunk: Buffer }[] = []
  let heldBytes = 0
  let state: ShaperState = IDLE_SHAPER
  let timer: NodeJS.Timeout | undefined
  let isEnded = false

  function flush(): void {
    clearTimeout(timer)
    while (world.mode === 'open') {
      const next = held[0]
      if (next === undefined) {
        if (isEnded) to.end()
        return
      }
      const waitMs = next.dueMs - clock.monotonicMs()
      if (waitMs > 0) {
        timer = setTimeout(flush, waitMs)
        return
      }
      if (to.writableNeedDrain) return
      held.shift()
      heldBytes -= next.chunk.length
      world.bytes[direction] += next.chunk.length
      to.write(next.chunk)
      if (heldBytes < HELD_BYTES_MAX) from.resume()
    }
  }

  from.on('data', chunk => {
    const rate = world.line.rateBytesPerSecond ?? Number.POSITIVE_INFINITY
    const pieceBytes = Math.max(1, Math.floor((rate * TRICKLE_MS) / 1000))
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes) as Buffer
      const due = scheduleChunk(state, world.line, clock.monotonicMs(), piece.length, random())
      state = due.state
      held.push({ dueMs: due.dueMs, chunk: piece })
      heldBytes += piece.length
    }
    if (heldBytes >= HELD_BYTES_MAX) from.pause()
    flush()
  })
  from.on('end', () => {
    isEnded = true
    flush()
  })
  to.on('drain', flush)
  world.waiting.add(flush)
  to.once('close', () => {
    clearTimeout(timer)
    world.waiting.delete(flush)
  })
}
