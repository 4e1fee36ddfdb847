/** A run of the model: nodes, origins, who is connected to whom, and what is told about it. */
import type { Bitfield } from '../../swarm/bitfield.ts'
import { Directory } from '../../swarm/peers/directory.ts'
import { createModelBlob, type ModelBlob } from './blob.ts'
import { type Connection, connect } from './connection.ts'
import { createModelNode, type ModelNode } from './node.ts'
import { createModelOrigin, type ModelOrigin } from './origin.ts'
import { createRandom, type Random } from './random.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import { Host, type HostSpeed, type PipeQuality } from './wires.ts'

export interface Witness {
  onFrame?(from: string, to: string, frame: Uint8Array): void
  onOriginAsked?(node: string, url: string, firstPiece: number, pieceCount: number): void
  onRefused?(node: string, source: string, pieceIndex: number | undefined): void
  onFinished?(node: string): void
  onSeek?(node: string): void
}

export interface Getter {
  readonly node: ModelNode
  readonly startedMs: number
  finishedMs: number | undefined
  /** Set when the fetch rejected. */
  error: unknown
  readonly giveUp: AbortController
}

export interface WorldOptions {
  readonly seed: number
  readonly blobBytes: number
  readonly latencyMs: number
  readonly loss: number
}

export class World {
  readonly timeline: Timeline = createTimeline()
  readonly random: Random
  readonly blob: ModelBlob
  readonly nodes = new Map<string, ModelNode>()
  readonly origins: ModelOrigin[] = []
  readonly getters = new Map<string, Getter>()
  readonly #witness: Witness
  readonly #quality: PipeQuality
  readonly #directories = new Map<string, Directory>()
  readonly #connections = new Map<string, Connection>()

  constructor({ seed, blobBytes, latencyMs, loss }: WorldOptions, witness: Witness = {}) {
    this.random = createRandom(seed)
    this.blob = createModelBlob(blobBytes, seed)
    this.#quality = { latencyMs, loss }
    this.#witness = witness
  }

  addOrigin(name: string, bytesPerSecond: number): ModelOrigin {
    const speed = { up: bytesPerSecond, down: Number.POSITIVE_INFINITY }
    const origin = createModelOrigin(this, name, speed)
    this.origins.push(origin)
    return origin
  }

  addNode(
    name: string,
    speed: HostSpeed,
    heldPieces: Bitfield,
    seekPeers: () => void = () => {},
  ): ModelNode {
    const { timeline, blob } = this
    const host = new Host(timeline, name, speed)
    const random = createRandom(this.random.below(2 ** 32))
    const origins = this.origins.map(origin =>
      origin.for(host, this.#quality, (offset, length) => {
        const first = offset / blob.pieceSizeBytes
        const count = Math.ceil(length / blob.pieceSizeBytes)
        this.#witness.onOriginAsked?.(name, origin.url, first, count)
      }),
    )
    const node = createModelNode(
      {
        clock: timeline.clock,
        random: random.next,
        blob,
        host,
        origins,
        seekPeers: () => {
          this.#witness.onSeek?.(name)
          seekPeers()
        },
        onRefused: ({ name: source, pieceIndex }) =>
          this.#witness.onRefused?.(name, source, pieceIndex),
      },
      { heldPieces },
      linkDeps => {
        const directory = new Directory(linkDeps, name)
        this.#directories.set(name, directory)
        return directory
      },
    )
    this.nodes.set(name, node)
    return node
  }

  /** Opens a connection, unless there is one; `from` dials. */
  connect(from: string, to: string): void {
    const [dialler, other] = [this.nodes.get(from), this.nodes.get(to)]
    if (dialler === undefined || other === undefined) return
    if (this.connection(from, to) !== undefined) return
    if (dialler.banned.has(to) || other.banned.has(from)) return
    const onFrame = (a: Host, b: Host, frame: Uint8Array): void =>
      this.#witness.onFrame?.(a.name, b.name, frame)
    const deps = { timeline: this.timeline, random: this.random, onFrame }
    const made = connect(deps, dialler.host, other.host, this.#quality)
    this.#connections.set(`${from} ${to}`, made)
    this.#directories.get(from)?.accept(made.channels[0])
    this.#directories.get(to)?.accept(made.channels[1])
  }

  connection(a: string, b: string): Connection | undefined {
    return this.#connections.get(`${a} ${b}`) ?? this.#connections.get(`${b} ${a}`)
  }

  disconnect(a: string, b: string): void {
    this.connection(a, b)?.close()
    this.#connections.delete(`${a} ${b}`)
    this.#connections.delete(`${b} ${a}`)
  }

  /** The node is gone, without a word about what it was doing. */
  remove(name: string): void {
    this.getters.get(name)?.giveUp.abort(new Error(`${name} left`))
    for (const other of this.nodes.keys()) this.disconnect(name, other)
    this.nodes.delete(name)
  }

  startFetch(name: string): Getter {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    const getter: Getter = {
      node,
      startedMs: this.timeline.nowMs(),
      finishedMs: undefined,
      error: undefined,
      giveUp: new AbortController(),
    }
    this.getters.set(name, getter)
    node.fetch(getter.giveUp.signal).then(
      () => {
        getter.finishedMs = this.timeline.nowMs()
        this.#witness.onFinished?.(name)
      },
      (error: unknown) => {
        getter.error = error
      },
    )
    return getter
  }

  /** Runs until every fetch has ended, or until `untilMs`. */
  run(untilMs: number): Promise<void> {
    return this.timeline.run(untilMs, () => this.#isDone)
  }

  /** Set by whoever plans later joins, so that the run does not end before them. */
  expectedGetters = 0

  get #isDone(): boolean {
    if (this.getters.size < this.expectedGetters) return false
    for (const { finishedMs, error } of this.getters.values()) {
      if (finishedMs === undefined && error === undefined) return false
    }
    return this.getters.size > 0
  }
}
