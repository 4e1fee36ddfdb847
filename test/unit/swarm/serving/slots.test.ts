/** Upload slots as facts: who may go, who waits and how long, and when a turn ends. */
import { expect } from 'chai'
import { SLOT_COUNT_MAX, SLOT_RULES, Slots, slotCount } from '../../../../swarm/serving/slots.ts'

const { turnMs, idleMs, graceMs, retryMsMax } = SLOT_RULES

function full(count: number): Slots {
  const slots = new Slots(SLOT_RULES)
  for (let n = 0; n < count; n += 1) slots.ask(`holder ${n}`, 0, count)
  return slots
}

describe('Slots', () => {
  it('lets everybody go while there is room', () => {
    const slots = full(3)
    expect(slots.holderCount).to.equal(3)
    expect(slots.ask('holder 2', 1, 3)).to.deep.equal({ kind: 'go' })
  })

  it('lets a peer go on for as long as nobody waits', () => {
    const slots = full(1)
    expect(slots.ask('holder 0', 20 * turnMs, 1)).to.deep.equal({ kind: 'go' })
  })

  it('gives the slot of the longest to who waits, when the turn is over', () => {
    const slots = new Slots(SLOT_RULES)
    slots.ask('a', 0, 2)
    slots.ask('b', 1_000, 2)
    expect(slots.ask('new', 2_000, 2)).to.deep.equal({ kind: 'wait', retryAfterMs: retryMsMax })
    expect(slots.ask('new', turnMs, 2)).to.deep.equal({ kind: 'go', evicted: 'a' })
    expect(slots.ask('a', turnMs, 2).kind).to.equal('wait')
  })

  it('keeps the slot for who was promised it, also against its holder', () => {
    const slots = full(1)
    slots.ask('first', turnMs - 500, 1)
    slots.ask('second', turnMs - 400, 1)
    expect(slots.ask('holder 0', turnMs + 1, 1).kind).to.equal('wait')
    expect(slots.ask('second', turnMs + 2, 1).kind).to.equal('wait')
    expect(slots.ask('first', turnMs + 3, 1)).to.deep.equal({ kind: 'go' })
  })

  it('gives the place of one that did not come back to the next', () => {
    const slots = full(1)
    slots.ask('gone', turnMs - 1, 1)
    expect(slots.ask('next', turnMs + graceMs + 1, 1)).to.deep.equal({
      kind: 'go',
      evicted: 'holder 0',
    })
  })

  it('sends a crowd away to different times', () => {
    const slots = new Slots({ ...SLOT_RULES, retryMsMax: 1_000_000 })
    for (const n of [0, 1]) slots.ask(`holder ${n}`, n * 1_000, 2)
    const times = Array.from({ length: 6 }, (_, n) => {
      const turn = slots.ask(`waiter ${n}`, 5_000, 2)
      return turn.kind === 'wait' ? 5_000 + turn.retryAfterMs : undefined
    })
    expect(times).to.deep.equal(
      [0, 1, 2, 3, 4, 5].map(n => (Math.floor(n / 2) + 1) * turnMs + (n % 2) * 1_000),
    )
  })

  it('takes the slot of one that asks for nothing', () => {
    const slots = full(1)
    slots.rest('holder 0', 100)
    expect(slots.ask('new', 100 + idleMs - 1, 1).kind).to.equal('wait')
    expect(slots.ask('new', 100 + idleMs, 1).kind).to.equal('go')
  })

  it('has fewer holders again when there are fewer slots', () => {
    const slots = full(4)
    expect(slots.ask('holder 0', turnMs, 2).kind).to.equal('wait')
    expect(slots.ask('holder 1', turnMs, 2).kind).to.equal('wait')
    expect(slots.ask('holder 2', turnMs, 2).kind).to.equal('wait')
    expect(slots.holderCount).to.be.at.most(2)
  })

  it('has as many slots as the upload can serve', () => {
    const MIB = 2 ** 20
    expect([0, MIB, 8 * MIB, 2 ** 40].map(slotCount)).to.deep.equal([4, 4, 16, SLOT_COUNT_MAX])
  })
})
