/** The trace of a model run: a line for each thing that a node did, as it was seen on the wire. */
import { decodeMessage } from '../../swarm/wire.ts'
import type { Witness, World } from './world.ts'

export interface Trace {
  readonly witness: Witness
  watch(world: World): void
  say(line: string): void
  summarise(): void
  text(): string
}

/** Times count from `startMs`. `isBrief`: requests are left out. */
export function createTrace(startMs: number, isBrief: boolean): Trace {
  const lines: string[] = []
  const asked = new Map<string, number>()
  /** How many open requests of a node ask for a piece. */
  const open = new Map<string, number>()
  let world: World | undefined
  /** A line to which further pieces of the same kind and time are added. */
  let last = { prefix: '', pieces: [] as string[] }

  function say(line: string): void {
    flush()
    lines.push(`${time()} ${line}`)
  }
  function time(): string {
    return (((world?.timeline.nowMs() ?? 0) - startMs) / 1000).toFixed(3).padStart(8)
  }
  function flush(): void {
    if (last.pieces.length > 0) lines.push(`${last.prefix} ${last.pieces.join(' ')}`)
    last = { prefix: '', pieces: [] }
  }
  function add(text: string, pieces: string): void {
    if (isBrief) return
    const prefix = `${time()} ${text}`
    if (last.prefix !== prefix) flush()
    last.prefix = prefix
    last.pieces.push(pieces)
  }
  function count(node: string, pieceIndex: number, change: number): number {
    const key = `${node} ${pieceIndex}`
    const now = (open.get(key) ?? 0) + change
    open.set(key, now)
    return now
  }
  function noteFrame(from: string, to: string, frame: Uint8Array): void {
    const message = decodeMessage(frame.subarray(4))
    const pieceSizeBytes = world?.blob.pieceSizeBytes ?? 1
    if (message?.kind === 'request') {
      const pieceIndex = message.offset / pieceSizeBytes
      asked.set(`${from} ${to} ${message.id}`, pieceIndex)
      const isAgain = count(from, pieceIndex, 1) > 1
      add(`${from} asks ${to} for`, isAgain ? `${pieceIndex}(again)` : `${pieceIndex}`)
    } else if (message?.kind === 'cancel') {
      const pieceIndex = asked.get(`${from} ${to} ${message.id}`)
      if (pieceIndex === undefined) return
      count(from, pieceIndex, -1)
      add(`${from} takes back from ${to}`, String(pieceIndex))
    } else if (message?.kind === 'reject') {
      const pieceIndex = asked.get(`${to} ${from} ${message.id}`)
      if (pieceIndex === undefined) return
      count(to, pieceIndex, -1)
      add(`${from} refuses ${to} (${message.reason})`, String(pieceIndex))
    }
  }
  return {
    witness: {
      onFrame: noteFrame,
      onOriginAsked(node, url, firstPiece, pieceCount) {
        const end = firstPiece + pieceCount - 1
        add(`${node} asks ${url} for`, pieceCount === 1 ? `${firstPiece}` : `${firstPiece}-${end}`)
      },
      onRefused(node, source, pieceIndex) {
        if (pieceIndex !== undefined) count(node, pieceIndex, -1)
        const what = pieceIndex === undefined ? 'its layer' : `piece ${pieceIndex}`
        say(`${node} refuses ${what} of ${source}`)
      },
      onFinished: node => say(`${node} has everything`),
      onSeek(node) {
        if (!isBrief) say(`${node} looks for peers`)
      },
    },
    watch(made) {
      world = made
    },
    say,
    summarise() {
      flush()
      for (const [name, { node, startedMs, finishedMs, error }] of world?.getters ?? []) {
        const tookMs = finishedMs === undefined ? undefined : finishedMs - startedMs
        const outcome =
          tookMs === undefined
            ? `did not finish (${error === undefined ? 'still waiting' : String(error)})`
            : `took ${(tookMs / 1000).toFixed(3)} s`
        const { peer, origin } = node.received
        lines.push(`${name} ${outcome}: ${mib(peer)} from peers, ${mib(origin)} from origins`)
      }
      for (const origin of world?.origins ?? []) {
        lines.push(`${origin.url} sent ${mib(origin.sentBytes())}`)
      }
    },
    text: () => `${lines.join('\n')}\n`,
  }
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2)} MiB`
}
