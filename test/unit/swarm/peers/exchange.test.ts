/** What the answer to a request says against a peer. */
import { expect } from 'chai'
import { UNANSWERED_MS } from '../../../../swarm/limits.ts'
import { offenceOf } from '../../../../swarm/peers/exchange.ts'

const rejected = (reason: 'not-found' | 'limit') =>
  ({ kind: 'rejected', reason, retryAfterMs: 1 }) as const
const late = { receivedBytes: 0, tookMs: UNANSWERED_MS }

describe('the answer of a peer', () => {
  it('breaks a promise when the peer does not have what it said it has', () => {
    expect(offenceOf(rejected('not-found'), late)).to.equal('broken promise')
  })

  it('is no offence when the peer is busy, left, or gave what it was asked for', () => {
    const bytes = new Uint8Array()
    for (const answer of [rejected('limit'), { kind: 'left' }, { kind: 'bytes', bytes }] as const)
      expect(offenceOf(answer, late)).to.equal(undefined)
  })

  it('counts as unanswered when we gave up on a peer that sent nothing at all for long', () => {
    const cancelled = { kind: 'cancelled' } as const
    expect(offenceOf(cancelled, late)).to.equal('unanswered')
    expect(offenceOf(cancelled, { ...late, receivedBytes: 1 })).to.equal(undefined)
    expect(offenceOf(cancelled, { ...late, tookMs: UNANSWERED_MS - 1 })).to.equal(undefined)
  })
})
