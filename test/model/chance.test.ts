/**
 * Random runs of the model and what must hold in each of them. A failure names its seed; `MODEL_SEED=<seed>` runs that one
 * alone. The same seed gives the same run, byte for byte.
 */
import { expect } from 'chai'
import { piecesFrom } from './node.ts'
import { createRandom, type Random } from './random.ts'
import { World } from './world.ts'

const RUN_COUNT = 25
const FIRST_SEED = 1
const MIB = 1024 * 1024
const DUPLICATE_SHARE_MAX = 0.02
/** Blobs are small here: copies that were asked for at one moment all come before the first is known to be in vain. */
const DUPLICATE_PIECES_MAX = 4
/** "Never slower than direct". */
const SLOWER_SHARE_MAX = 1.05
const SLOWER_MS_MAX = 500
const RUN_MS_MAX = 300_000

type Habit = 'honest' | 'slow' | 'dead' | 'dies' | 'lies' | 'leaves'

interface Run {
  readonly world: World
  readonly habits: ReadonlyMap<string, Habit>
  /** When everything had been drawn, the connections stood and the fetches began. */
  readonly startMs: number
  readonly originBytesPerSecond: number
  readonly latencyMs: number
}

const HABITS: readonly Habit[] = ['honest', 'honest', 'slow', 'dead', 'dies', 'lies', 'leaves']

/** Some peers of every kind, one origin, one to three getters; everything follows from the seed. */
async function runOf(seed: number): Promise<Run> {
  const random = createRandom(seed)
  const latencyMs = random.between(1, 60)
  const loss = random.next() < 0.3 ? 0.01 : 0
  const blobBytes = Math.round(random.between(1, 12) * MIB)
  const world = new World({ seed, blobBytes, latencyMs, loss })
  const originBytesPerSecond = random.between(1, 8) * 1_000_000
  world.addOrigin('origin', originBytesPerSecond)
  const habits = new Map<string, Habit>()
  for (let index = 0; index < random.below(6); index += 1) {
    const [habit = 'honest'] = random.sample(HABITS, 1)
    habits.set(`p${index}`, habit)
    addPeer(world, `p${index}`, habit, random)
  }
  const getters = Array.from({ length: 1 + random.below(3) }, (_, index) => `g${index}`)
  for (const name of getters) {
    world.addNode(name, { up: 5_000_000, down: 100_000_000 }, piecesFrom(world.blob, 'none'))
  }
  for (const a of world.nodes.keys()) {
    for (const b of world.nodes.keys()) if (a < b) world.connect(a, b)
  }
  const startMs = 6 * latencyMs + 100
  world.expectedGetters = getters.length
  world.timeline.after(startMs, () => {
    for (const name of getters) world.startFetch(name)
  })
  for (const [name, habit] of habits) act(world, name, habit, startMs + random.between(0, 3_000))
  await world.run(RUN_MS_MAX)
  return { world, habits, startMs, originBytesPerSecond, latencyMs }
}

function addPeer(world: World, name: string, habit: Habit, random: Random): void {
  const up = habit === 'slow' ? 10_000 : random.between(0.5, 10) * 1_000_000
  const isPartial = random.next() < 0.3
  const held = isPartial
    ? Array.from({ length: world.blob.pieceCount }, (_, index) => index).filter(
        () => random.next() < 0.5,
      )
    : ('all' as const)
  const node = world.addNode(name, { up, down: 50_000_000 }, piecesFrom(world.blob, held))
  node.store.lies = habit === 'lies'
}

function act(world: World, name: string, habit: Habit, atMs: number): void {
  const stallAll = (): void => {
    for (const other of world.nodes.keys()) world.connection(name, other)?.stall()
  }
  if (habit === 'dead') world.timeline.after(0, stallAll)
  if (habit === 'dies') world.timeline.after(atMs, stallAll)
  if (habit === 'leaves') world.timeline.after(atMs, () => world.remove(name))
}

describe('random runs of the model', () => {
  const only = process.env.MODEL_SEED
  const seeds =
    only === undefined
      ? Array.from({ length: RUN_COUNT }, (_, index) => FIRST_SEED + index)
      : [Number(only)]
  const runs: { readonly seed: number; readonly run: Run }[] = []

  before(async function () {
    this.timeout(60_000)
    for (const seed of seeds) runs.push({ seed, run: await runOf(seed) })
  })

  /** Calls `check` for each run, with a name of the run for messages. */
  function inEach(check: (run: Run, seed: string) => void): void {
    for (const { seed, run } of runs) check(run, `MODEL_SEED=${seed}`)
  }

  it('end with everything in the hands of every node that wanted it', () => {
    inEach(({ world }, seed) => {
      for (const [name, { node, finishedMs, error }] of world.getters) {
        expect(error, `${seed} ${name}`).to.equal(undefined)
        expect(finishedMs, `${seed} ${name}`).not.to.equal(undefined)
        expect(node.store.heldPieces.count, `${seed} ${name}`).to.equal(world.blob.pieceCount)
      }
    })
  })

  it('blame only liars, each of them once, and at the cost of one piece', () => {
    inEach(({ world, habits }, seed) => {
      for (const [name, { node }] of world.getters) {
        for (const peer of node.banned) expect(habits.get(peer), `${seed} ${name}`).to.equal('lies')
        expect(node.store.mismatchCount, `${seed} ${name}`).to.equal(node.banned.size)
      }
    })
  })

  it('fetch no more than a fiftieth twice, and a few pieces', () => {
    inEach(({ world }, seed) => {
      const { pieceSizeBytes, sizeBytes } = world.blob
      for (const [name, { node }] of world.getters) {
        const { peer, origin } = node.received
        const wrongBytes = node.store.mismatchCount * pieceSizeBytes
        const twice = node.host.down.movedBytes - peer - origin - wrongBytes
        const most = DUPLICATE_SHARE_MAX * sizeBytes + DUPLICATE_PIECES_MAX * pieceSizeBytes
        expect(twice, `${seed} ${name}`).to.be.at.most(most)
      }
    })
  })

  it('are never slower than the origin alone, whatever the peers are', () => {
    inEach(({ world, originBytesPerSecond, latencyMs }, seed) => {
      if (world.getters.size > 1) return
      const directMs = (world.blob.sizeBytes * 1000) / originBytesPerSecond + 4 * latencyMs
      for (const [name, { startedMs, finishedMs = Number.POSITIVE_INFINITY }] of world.getters) {
        const most = SLOWER_SHARE_MAX * directMs + SLOWER_MS_MAX
        expect(finishedMs - startedMs, `${seed} ${name}`).to.be.at.most(most)
      }
    })
  })

  it('give the same run again for the same seed', async () => {
    const [first] = runs
    if (first === undefined) throw new Error('there was no run')
    const again = await runOf(first.seed)
    const ends = ({ world }: Run) => [...world.getters.values()].map(({ finishedMs }) => finishedMs)
    expect(again.world.timeline.eventCount).to.equal(first.run.world.timeline.eventCount)
    expect(ends(again)).to.deep.equal(ends(first.run))
  })
})
