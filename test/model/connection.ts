/** A connection between two nodes of the model: a pipe each way, and a channel for each end as libp2p would give it. */
import { SwarmError } from '../../swarm/errors.ts'
import type { Channel } from '../../swarm/network.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import { type Host, Pipe, type PipeQuality } from './wires.ts'

export interface Connection {
  /** As the node that dialled sees it, and as the other one does. */
  readonly channels: readonly [Channel, Channel]
  /** Nothing moves until `resume`; nobody is told. */
  stall(): void
  resume(): void
  /** Both ends learn of it. */
  close(): void
}

export interface ConnectionDeps {
  readonly timeline: Timeline
  readonly random: Random
  /** Called for each frame that is sent. */
  onFrame?(from: Host, to: Host, frame: Uint8Array): void
}

interface End {
  onBytes: (bytes: Uint8Array) => void
  onClose: () => void
  /** What came in before the end was read. */
  early: Uint8Array[]
  isRead: boolean
}

export function connect(
  deps: ConnectionDeps,
  dialler: Host,
  other: Host,
  quality: PipeQuality,
): Connection {
  const pipes = [
    new Pipe(deps, dialler, other, quality),
    new Pipe(deps, other, dialler, quality),
  ] as const
  const ends = [newEnd(), newEnd()] as const
  const close = (): void => {
    if (pipes[0].isClosed) return
    for (const pipe of pipes) pipe.close()
    for (const end of ends) deps.timeline.after(quality.latencyMs, () => end.onClose())
  }
  const channel = (from: Host, to: Host, side: 0 | 1): Channel => {
    const [out, into] = side === 0 ? pipes : [pipes[1], pipes[0]]
    const [own, far] = side === 0 ? ends : [ends[1], ends[0]]
    return {
      peerId: to.name,
      address: `/model/${to.name}`,
      openedByUs: side === 0,
      async send(bytes) {
        deps.onFrame?.(from, to, bytes)
        try {
          await out.send(bytes.byteLength, () => give(far, bytes))
        } catch (error) {
          throw new SwarmError('PEER_LEFT', `${to.name} left`, { cause: error })
        }
      },
      receive(onBytes, onClose) {
        Object.assign(own, { onBytes, onClose, isRead: true })
        for (const bytes of own.early.splice(0)) onBytes(bytes)
        if (out.isClosed) deps.timeline.after(0, onClose)
      },
      pause: () => into.pause(),
      resume: () => into.resume(),
      close,
    }
  }
  return {
    channels: [channel(dialler, other, 0), channel(other, dialler, 1)],
    stall() {
      for (const pipe of pipes) pipe.pause()
    },
    resume() {
      for (const pipe of pipes) pipe.resume()
    },
    close,
  }
}

function newEnd(): End {
  return { onBytes: () => {}, onClose: () => {}, early: [], isRead: false }
}

function give(end: End, bytes: Uint8Array): void {
  if (end.isRead) end.onBytes(bytes)
  else end.early.push(bytes)
}
