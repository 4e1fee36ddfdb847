/**
 * `npm run simulate`: a flash crowd on the model. Thousands of nodes want one new blob within a few seconds; one node
 * has it, and an origin with a capped line. Each node is the real scheduler, downloads, fair queue and server.
 */
import { parseArgs } from 'node:util'
import { pieceSizeOf } from '../../src/core/blake3/index.ts'
import { Bitfield } from '../../swarm/bitfield.ts'
import { type Row, reportRows } from '../support/report-rows.ts'
import { createModelBlob, type ModelBlob } from './blob.ts'
import { LeanLink } from './lean-link.ts'
import { createModelNode, type Links, type ModelNode } from './node.ts'
import { createModelOrigin, type ModelOrigin } from './origin.ts'
import { createRandom, type Random } from './random.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import { Host, type HostSpeed, Pipe } from './wires.ts'

const MBIT = 1_000_000 / 8
const MIB = 1024 * 1024
/** A crowd that has not finished by then never will. */
const CROWD_MS_MAX = 3_600_000

export interface CrowdOptions {
  readonly nodes: number
  readonly seed: number
  readonly blobBytes: number
  /** Peers that each node dials; as many dial it, on average. */
  readonly dials: number
  /** Links that a node has at most. */
  readonly linksMax: number
  readonly originBytesPerSecond: number
  readonly seederBytesPerSecond: number
  /** `home`: up 10–100 and down 50–1000 Mbit/s, each size of line equally likely; `uniform`: 50 up, 200 down. */
  readonly profile: 'home' | 'uniform'
  /** Every node starts within this time. */
  readonly spreadMs: number
}

export interface CrowdResult {
  readonly unfinished: number
  /** From a node's own start, sorted. */
  readonly durationsMs: readonly number[]
  readonly originBytes: number
  readonly duplicateBytes: number
  readonly wantedBytes: number
  readonly controlBytes: number
  readonly seederBytes: number
  readonly simulatedMs: number
  readonly eventCount: number
}

/** Both ends of the link are made by the crowd; a node only keeps its own. */
class LinkTable implements Links {
  readonly #links = new Map<string, LeanLink>()
  readonly #listeners = new Set<Parameters<Links['onChange']>[0]>()

  list(): readonly LeanLink[] {
    return [...this.#links.values()]
  }

  get size(): number {
    return this.#links.size
  }

  has(name: string): boolean {
    return this.#links.has(name)
  }

  onChange(listener: Parameters<Links['onChange']>[0]): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  add(link: LeanLink): void {
    this.#links.set(link.peerId, link)
    for (const listener of [...this.#listeners]) listener('joined', link)
  }

  remove(link: LeanLink): void {
    if (!this.#links.delete(link.peerId)) return
    for (const listener of [...this.#listeners]) listener('left', link)
  }
}

interface Member {
  readonly node: ModelNode
  readonly links: LinkTable
  startedMs: number
  finishedMs: number | undefined
}

class Crowd {
  readonly timeline: Timeline = createTimeline()
  readonly random: Random
  readonly blob: ModelBlob
  readonly origin: ModelOrigin
  readonly members: Member[] = []
  readonly #options: CrowdOptions
  finishedCount = 0

  constructor(options: CrowdOptions) {
    this.#options = options
    this.random = createRandom(options.seed)
    this.blob = createModelBlob(options.blobBytes, options.seed)
    const speed = { up: options.originBytesPerSecond, down: Number.POSITIVE_INFINITY }
    this.origin = createModelOrigin(this, 'origin', speed)
    const seeder = { up: options.seederBytesPerSecond, down: options.seederBytesPerSecond }
    this.#addMember('seeder', seeder, Bitfield.full(this.blob.pieceCount))
    for (let index = 0; index < options.nodes; index += 1) {
      this.#addMember(`n${index}`, this.#homeSpeed(), new Bitfield(this.blob.pieceCount))
    }
    for (const member of this.members) this.#dialSome(member)
  }

  /** Every getter wants the blob at a time of its own. */
  start(): void {
    for (const member of this.members.slice(1)) {
      this.timeline.after(this.random.between(0, this.#options.spreadMs), () => {
        member.startedMs = this.timeline.nowMs()
        member.node.fetch(new AbortController().signal).then(
          () => {
            member.finishedMs = this.timeline.nowMs()
            this.finishedCount += 1
          },
          (error: unknown) => {
            throw error
          },
        )
      })
    }
  }

  #homeSpeed(): HostSpeed {
    if (this.#options.profile === 'uniform') return { up: 50 * MBIT, down: 200 * MBIT }
    const log = (low: number, high: number): number =>
      Math.exp(this.random.between(Math.log(low), Math.log(high))) * MBIT
    return { up: log(10, 100), down: log(50, 1000) }
  }

  #addMember(name: string, speed: HostSpeed, heldPieces: Bitfield): void {
    const { timeline, blob } = this
    const host = new Host(timeline, name, speed)
    const links = new LinkTable()
    const quality = { latencyMs: this.random.between(5, 30), loss: 0 }
    const node = createModelNode(
      {
        clock: timeline.clock,
        random: createRandom(this.random.below(2 ** 32)).next,
        blob,
        host,
        origins: [this.origin.for(host, quality, () => {})],
        seekPeers: () => this.#seek(name),
        onRefused() {},
      },
      { heldPieces, isLean: true },
      () => links,
    )
    this.members.push({ node, links, startedMs: 0, finishedMs: undefined })
  }

  /** What the daemon of a node had found before there was anything to fetch. */
  #dialSome(member: Member): void {
    for (const other of this.random.sample(this.members, this.#options.dials)) {
      this.#connect(member, other)
    }
  }

  /** A lookup of the release: the nodes that announced it long enough ago to be found. */
  #seek(_name: string): void {}

  #connect(dialler: Member, other: Member): void {
    const { linksMax } = this.#options
    if (dialler === other || dialler.links.has(other.node.name)) return
    if (dialler.links.size >= linksMax || other.links.size >= linksMax) return
    const quality = { latencyMs: this.random.between(5, 40), loss: 0 }
    const out = new Pipe(this, dialler.node.host, other.node.host, quality)
    const back = new Pipe(this, other.node.host, dialler.node.host, quality)
    const end = (from: Member, to: Member, pipe: Pipe): LeanLink =>
      new LeanLink(from.node.linkDeps, { peerId: to.node.name, blob: this.blob, out: pipe }, link =>
        from.links.remove(link),
      )
    const [a, b] = [end(dialler, other, out), end(other, dialler, back)]
    a.far = b
    b.far = a
    dialler.links.add(a)
    other.links.add(b)
  }
}

export async function runCrowd(
  options: CrowdOptions,
  onProgress: (text: string) => void = () => {},
): Promise<CrowdResult> {
  const crowd = new Crowd(options)
  crowd.start()
  for (let second = 1; second * 1000 <= CROWD_MS_MAX; second += 1) {
    await crowd.timeline.run(second * 1000, () => crowd.finishedCount === options.nodes)
    onProgress(
      `${second} s: ${crowd.finishedCount} finished, origin sent ${(crowd.origin.sentBytes() / options.blobBytes).toFixed(2)} blobs, ${crowd.timeline.eventCount} events`,
    )
    if (crowd.finishedCount === options.nodes) break
  }
  const getters = crowd.members.slice(1)
  const moved = crowd.members.reduce((sum, { node }) => sum + node.host.down.movedBytes, 0)
  const verified = getters.reduce(
    (sum, { node }) => sum + node.received.peer + node.received.origin,
    0,
  )
  return {
    unfinished: options.nodes - crowd.finishedCount,
    durationsMs: getters
      .flatMap(({ startedMs, finishedMs }) =>
        finishedMs === undefined ? [] : [finishedMs - startedMs],
      )
      .sort((a, b) => a - b),
    originBytes: crowd.origin.sentBytes(),
    duplicateBytes: moved - verified,
    wantedBytes: options.blobBytes * options.nodes,
    controlBytes: crowd.members.reduce((sum, { node }) => sum + node.host.controlBytes, 0),
    seederBytes: crowd.members[0]?.node.host.up.movedBytes ?? 0,
    simulatedMs: crowd.timeline.nowMs(),
    eventCount: crowd.timeline.eventCount,
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const row = (id: string, must: string, measured: string, ok: boolean): Row => ({
  id,
  must,
  measured,
  ok,
})

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      'blob-mib': { type: 'string', default: '16' },
      dials: { type: 'string', default: '10' },
      links: { type: 'string', default: '40' },
      'origin-mb': { type: 'string', default: '10' },
      profile: { type: 'string', default: 'home' },
      json: { type: 'boolean', default: false },
    },
  })
  const options: CrowdOptions = {
    nodes: Number(values.nodes),
    seed: Number(values.seed),
    blobBytes: Number(values['blob-mib']) * MIB,
    dials: Number(values.dials),
    linksMax: Number(values.links),
    originBytesPerSecond: Number(values['origin-mb']) * 1_000_000,
    seederBytesPerSecond: 100 * MBIT,
    profile: values.profile === 'uniform' ? 'uniform' : 'home',
    spreadMs: 3_000,
  }
  const startedMs = performance.now()
  const result = await runCrowd(options, text => process.stderr.write(`${text}\n`))
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
  const at = (share: number): number => percentile(result.durationsMs, share)
  const [p50, p90, p99, max] = [at(0.5), at(0.9), at(0.99), at(1)]
  const wallS = (performance.now() - startedMs) / 1000
  process.stdout.write(
    `${[
      `seed ${options.seed}, ${options.nodes} nodes, ${options.blobBytes / MIB} MiB, ${options.profile} lines`,
      `done after p50 ${seconds(p50)}, p90 ${seconds(p90)}, p99 ${seconds(p99)}, max ${seconds(max)}`,
      `seeder sent ${(result.seederBytes / options.blobBytes).toFixed(2)} blobs, control messages ${((100 * result.controlBytes) / result.wantedBytes).toFixed(2)} % of what was wanted`,
      `${seconds(result.simulatedMs)} simulated in ${wallS.toFixed(1)} s, ${result.eventCount} events, ${Math.round(process.memoryUsage().rss / MIB)} MiB`,
    ].join('\n')}\n`,
  )
  const originShare = result.originBytes / options.blobBytes
  const duplicateShareMax = 0.02 + pieceSizeOf(options.blobBytes) / options.blobBytes
  const duplicateShare = result.duplicateBytes / result.wantedBytes
  reportRows([
    row(
      'crowd-finished',
      'every node',
      `${options.nodes - result.unfinished} of ${options.nodes}`,
      result.unfinished === 0,
    ),
    row('crowd-origin-bytes', '<= 3 x blob', `${originShare.toFixed(2)} x`, originShare <= 3),
    row('crowd-tail', 'p99 / p50 <= 1.5', (p99 / p50).toFixed(2), p99 / p50 <= 1.5),
    row(
      'crowd-duplicates',
      '<= 2 % and a piece for each node',
      `${(100 * duplicateShare).toFixed(2)} %`,
      duplicateShare <= duplicateShareMax,
    ),
  ])
}

if (process.argv[1] === import.meta.filename) await main()
