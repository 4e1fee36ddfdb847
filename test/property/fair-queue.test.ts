/** The fair queue against a slow one that looks at every waiter, over random stories: same order, bounds never exceeded. */
import { expect } from 'chai'
import fc from 'fast-check'
import { createFairQueue } from '../../swarm/peers/fair-queue.ts'

const BOUNDS = { perPeerBytes: 100, totalBytes: 300 }
const PEERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

type Step =
  | { readonly kind: 'ask'; readonly peer: string; readonly bytes: number }
  | { readonly kind: 'release' | 'give-up'; readonly pick: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    peer: fc.constantFrom(...PEERS),
    bytes: fc.integer({ min: 1, max: 120 }),
  }),
  fc.record({ kind: fc.constantFrom('release' as const, 'give-up' as const), pick: fc.nat() }),
)

interface Ask {
  readonly peer: string
  readonly bytes: number
  readonly id: number
}

/** What the queue promises, written down as slowly as possible. */
class SlowQueue {
  waiting: Ask[] = []
  granted: Ask[] = []
  #turn = 0
  readonly #turns = new Map<string, number>()

  held(peer: string): number {
    return this.granted.filter(ask => ask.peer === peer).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get total(): number {
    return this.granted.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  ask(ask: Ask): void {
    const isIdle = this.held(ask.peer) === 0 && !this.waiting.some(({ peer }) => peer === ask.peer)
    if (isIdle) this.#turns.set(ask.peer, ++this.#turn)
    this.waiting.push(ask)
  }

  release(ask: Ask): void {
    this.granted.splice(this.granted.indexOf(ask), 1)
    this.#turns.set(ask.peer, ++this.#turn)
  }

  serve(): void {
    for (;;) {
      const firsts = PEERS.flatMap(peer => this.waiting.find(ask => ask.peer === peer) ?? [])
      const next = firsts
        .filter(({ peer, bytes }) => {
          const held = this.held(peer)
          return held === 0 || held + bytes <= BOUNDS.perPeerBytes
        })
        .sort(
          (a, b) =>
            this.held(a.peer) - this.held(b.peer) ||
            (this.#turns.get(a.peer) ?? 0) - (this.#turns.get(b.peer) ?? 0),
        )[0]
      if (next === undefined) return
      if (this.total > 0 && this.total + next.bytes > BOUNDS.totalBytes) return
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.granted.push(next)
      this.#turns.set(next.peer, ++this.#turn)
    }
  }
}

async function compare(steps: readonly Step[]): Promise<void> {
  const fast = createFairQueue(BOUNDS)
  const slow = new SlowQueue()
  const granted: number[] = []
  const givers = new Map<number, AbortController>()
  const expected: number[] = []
  let id = 0
  const note = (): void => {
    const before = slow.granted.length
    slow.serve()
    expected.push(...slow.granted.slice(before).map(ask => ask.id))
  }
  const release = (index: number): void => {
    const ask = slow.granted[index]
    if (ask === undefined) return
    slow.release(ask)
    fast.release(ask.peer, ask.bytes)
  }
  for (const each of steps) {
    if (each.kind === 'ask') {
      const ask = { peer: each.peer, bytes: each.bytes, id: id++ }
      const giver = new AbortController()
      givers.set(ask.id, giver)
      fast.acquire(ask.peer, ask.bytes, giver.signal).then(
        () => granted.push(ask.id),
        () => {
          /* It gave up. */
        },
      )
      slow.ask(ask)
    } else if (each.kind === 'release' && slow.granted.length > 0) {
      release(each.pick % slow.granted.length)
    } else if (each.kind === 'give-up' && slow.waiting.length > 0) {
      const [ask] = slow.waiting.splice(each.pick % slow.waiting.length, 1)
      if (ask !== undefined) givers.get(ask.id)?.abort(new Error('gave up'))
    }
    note()
    await Promise.resolve()
    await Promise.resolve()
    expect(granted).to.deep.equal(expected)
    expect(fast.heldBytes).to.equal(slow.total)
    for (const peer of PEERS) {
      const own = slow.granted.filter(ask => ask.peer === peer)
      if (own.length > 1) expect(slow.held(peer)).to.be.at.most(BOUNDS.perPeerBytes)
    }
    if (slow.granted.length > 1) expect(slow.total).to.be.at.most(BOUNDS.totalBytes)
  }
  /** Nobody starves: when what was granted comes back, everybody who waits is served. */
  while (slow.granted.length > 0) {
    release(0)
    note()
    await Promise.resolve()
    await Promise.resolve()
  }
  expect(granted).to.deep.equal(expected)
  expect(slow.waiting).to.deep.equal([])
  expect(fast.heldBytes).to.equal(0)
}

describe('fair queue, against a slow one', () => {
  it('serves in the same order, within the bounds, and in the end everybody', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), compare), { numRuns: 150 })
  })
})
