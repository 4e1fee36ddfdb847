/** A scenario file: a story in plain lines, run on the model, and the trace of what the nodes did. */
import { piecesFrom } from './node.ts'
import type { OriginState } from './origin.ts'
import { createTrace, type Trace } from './trace.ts'
import { World } from './world.ts'

/** Between the story and the trace. */
export const TRACE_MARK = '--- trace ---'
/** A story that has not ended by then never will. */
const STORY_MS_MAX = 600_000
/** A node knows its peers before it wants something: they are connected this long before its fetch begins. */
const SETTLE_MS = 500

export interface Story {
  readonly seed: number
  readonly blobBytes: number
  readonly latencyMs: number
  readonly loss: number
  /** Only who finished when: for stories with many nodes. */
  readonly isBrief: boolean
  readonly steps: readonly Step[]
}

interface Step {
  readonly atMs: number
  readonly line: string
}

const UNITS: Readonly<Record<string, number>> = {
  'KB/s': 1_000,
  'MB/s': 1_000_000,
  KiB: 1024,
  MiB: 1024 * 1024,
  ms: 1,
  s: 1000,
  '%': 0.01,
}

/** `5 MB/s` as a number in bytes, bytes per second, milliseconds or a share. @throws Error when it is none. */
function parseAmount(number: string | undefined, unit: string | undefined): number {
  const factor = UNITS[unit ?? '']
  const amount = Number(number)
  if (factor === undefined || !Number.isFinite(amount)) {
    throw new Error(`not an amount: ${number} ${unit}`)
  }
  return amount * factor
}

/** @throws Error that names the line that is no sentence of a story. */
export function parseStory(text: string): Story {
  const story = { seed: 1, blobBytes: 8 * 1024 * 1024, latencyMs: 10, loss: 0, isBrief: false }
  const steps: Step[] = []
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim()
    if (line === '') continue
    const words = line.split(/\s+/)
    const [first, second, third, ...rest] = words
    if (first === 'seed') story.seed = Number(second)
    else if (first === 'blob') story.blobBytes = parseAmount(second, third)
    else if (first === 'latency') story.latencyMs = parseAmount(second, third)
    else if (first === 'loss') story.loss = parseAmount(second, third)
    else if (first === 'brief') story.isBrief = true
    else if (first === 'at') {
      steps.push({ atMs: SETTLE_MS + parseAmount(second, third), line: rest.join(' ') })
    } else steps.push({ atMs: 0, line })
  }
  return { ...story, steps }
}

/** Runs the story and returns its trace, one line for each thing that a node did. */
export async function runStory(story: Story): Promise<string> {
  const trace = createTrace(SETTLE_MS, story.isBrief)
  const world = new World(story, trace.witness)
  trace.watch(world)
  world.expectedGetters = story.steps.filter(({ line }) => /\bwants\b/.test(line)).length
  for (const { atMs, line } of story.steps) {
    world.timeline.after(atMs, () => act(world, line, trace))
  }
  await world.run(STORY_MS_MAX)
  trace.summarise()
  return trace.text()
}

/** One sentence of the story, when its time has come. */
function act(world: World, line: string, trace: Trace): void {
  const words = line.split(/\s+/)
  const [what = '', name = ''] = words
  if (world.timeline.nowMs() > 0) trace.say(`* ${line}`)
  const after = (word: string): [string | undefined, string | undefined] | undefined => {
    const at = words.indexOf(word)
    return at < 0 || words[at - 1] === 'is' ? undefined : [words[at + 1], words[at + 2]]
  }
  const amount = (word: string, otherwise: number): number => {
    const found = after(word)
    return found === undefined ? otherwise : parseAmount(...found)
  }
  switch (what) {
    case 'origin': {
      const known = world.origins.find(({ url }) => url === name)
      const origin = known ?? world.addOrigin(name, amount('up', 10_000_000))
      if (known !== undefined)
        origin.host.up.bytesPerSecond = amount('up', known.host.up.bytesPerSecond)
      const state = after('is')?.[0]
      if (state !== undefined) origin.state = state as OriginState
      return
    }
    case 'peer':
      joinPeer(world, line, {
        name,
        up: amount('up', 5_000_000),
        down: amount('down', 50_000_000),
        held: heldIn(line),
        isGetter: words.includes('wants'),
        isDead: words.includes('dead'),
        lies: words.includes('lies'),
      })
      return
    case 'lies':
      nodeOf(world, name).store.lies = true
      return
    case 'slow':
      nodeOf(world, name).host.up.bytesPerSecond = amount('up', 10_000)
      return
    case 'link':
      world.connect(name, words[2] ?? '')
      return
    case 'cut':
      world.disconnect(name, words[2] ?? '')
      return
    case 'stall':
      world.connection(name, words[2] ?? '')?.stall()
      return
    case 'resume':
      world.connection(name, words[2] ?? '')?.resume()
      return
    case 'leave':
      world.remove(name)
      return
    default:
      throw new Error(`no sentence of a story: ${line}`)
  }
}

function nodeOf(world: World, name: string) {
  const node = world.nodes.get(name)
  if (node === undefined) throw new Error(`the story has no node ${name} at this time`)
  return node
}

/** `holds all`, `holds 0-15 20`, or nothing. */
function heldIn(line: string): 'all' | 'none' | number[] {
  const found = /\bholds ((?:all|[\d -]+))/.exec(line)?.[1]?.trim()
  if (found === undefined) return 'none'
  if (found === 'all') return 'all'
  return found.split(' ').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

interface Joining {
  readonly name: string
  readonly up: number
  readonly down: number
  readonly held: 'all' | 'none' | number[]
  readonly isGetter: boolean
  readonly isDead: boolean
  readonly lies: boolean
}

function joinPeer(world: World, line: string, joining: Joining): void {
  const { name, up, down, held, isGetter, isDead, lies } = joining
  const node = world.addNode(name, { up, down }, piecesFrom(world.blob, held))
  node.store.lies = lies
  const isAlone = /\balone\b/.test(line)
  for (const other of world.nodes.keys()) {
    if (other === name || isAlone) continue
    world.connect(name, other)
  }
  if (isDead) {
    /* It said HELLO, so it is a peer; then nothing comes from it any more. */
    world.timeline.after(SETTLE_MS - 1, () => {
      for (const other of world.nodes.keys()) world.connection(name, other)?.stall()
    })
  }
  if (isGetter) world.timeline.after(SETTLE_MS, () => world.startFetch(name))
}
