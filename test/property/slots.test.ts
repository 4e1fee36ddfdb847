/** Upload slots over random crowds: never more holders than slots, and nobody who does as told waits for ever. */
import { expect } from 'chai'
import fc from 'fast-check'
import { SLOT_RULES, Slots } from '../../swarm/serving/slots.ts'

interface Visitor {
  readonly arrivesMs: number
  /** How long it wants bytes once it is served. */
  readonly staysMs: number
  /** How much later than told it comes back. */
  readonly lateMs: number
}

const visitor: fc.Arbitrary<Visitor> = fc.record({
  arrivesMs: fc.nat({ max: 30_000 }),
  staysMs: fc.integer({ min: 100, max: 60_000 }),
  lateMs: fc.nat({ max: SLOT_RULES.graceMs - 400 }),
})

const STEP_MS = 200

function play(visitors: readonly Visitor[], count: number): void {
  const slots = new Slots(SLOT_RULES)
  const turns = Math.ceil(visitors.length / count) + 2
  const waitMsMax = turns * (SLOT_RULES.turnMs + SLOT_RULES.graceMs)
  const peers = visitors.map((each, index) => ({
    ...each,
    name: `peer ${index}`,
    askAtMs: each.arrivesMs,
    waitingSinceMs: each.arrivesMs as number | undefined,
    servedMs: 0,
  }))
  for (let nowMs = 0; peers.some(peer => peer.servedMs < peer.staysMs); nowMs += STEP_MS) {
    for (const peer of peers) {
      if (peer.servedMs >= peer.staysMs || nowMs < peer.askAtMs) continue
      const turn = slots.ask(peer.name, nowMs, count)
      expect(slots.holderCount).to.be.at.most(count)
      if (turn.kind === 'go') {
        peer.waitingSinceMs = undefined
        peer.servedMs += STEP_MS
        if (peer.servedMs >= peer.staysMs) slots.leave(peer.name)
      } else {
        peer.waitingSinceMs ??= nowMs
        expect(nowMs - peer.waitingSinceMs, `${peer.name} waits`).to.be.at.most(waitMsMax)
        peer.askAtMs = nowMs + turn.retryAfterMs + peer.lateMs
      }
    }
  }
}

describe('upload slots, over random crowds', () => {
  it('keep their number and give everybody a turn', () => {
    fc.assert(
      fc.property(
        fc.array(visitor, { minLength: 1, maxLength: 24 }),
        fc.integer({ min: 1, max: 5 }),
        play,
      ),
      { numRuns: 25 },
    )
  })
})
