import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createTokenTable } from '../../../../swarm/bulk/tokens.ts'
import { BULK_TOKEN_LIFETIME_MS, BULK_TOKENS_MAX } from '../../../../swarm/limits.ts'
import { createManualClock } from '../../../support/manual-clock.ts'

describe('the tokens of the bulk channel', () => {
  function setUp() {
    const clock = createManualClock()
    return { clock, tokens: createTokenTable<string>({ clock, secret: randomBytes }) }
  }

  it('lead to the peer that each was given to', () => {
    const { tokens } = setUp()
    const [alice, bob] = [tokens.issue('alice'), tokens.issue('bob')]
    expect([tokens.ownerOf(alice), tokens.ownerOf(bob)]).to.deep.equal(['alice', 'bob'])
  })

  it('lead to nobody when one bit is different, or bytes are missing', () => {
    const { tokens } = setUp()
    const token = tokens.issue('alice')
    for (const at of [0, 31]) {
      const wrong = Uint8Array.from(token)
      wrong[at] = (wrong[at] ?? 0) ^ 1
      expect(tokens.ownerOf(wrong)).to.equal(undefined)
    }
    expect(tokens.ownerOf(token.subarray(1))).to.equal(undefined)
    expect(tokens.ownerOf(new Uint8Array(0))).to.equal(undefined)
  })

  it('expire, each at its own time, and are then forgotten', async () => {
    const { clock, tokens } = setUp()
    const first = tokens.issue('alice')
    await clock.advance(BULK_TOKEN_LIFETIME_MS / 2)
    const second = tokens.issue('alice')
    expect(tokens.ownerOf(first)).to.equal('alice')
    await clock.advance(BULK_TOKEN_LIFETIME_MS / 2)
    expect([tokens.ownerOf(first), tokens.ownerOf(second)]).to.deep.equal([undefined, 'alice'])
    tokens.issue('bob')
    expect(tokens.count).to.equal(2)
  })

  it('are revoked all at once, those of others not', () => {
    const { tokens } = setUp()
    const issued = [tokens.issue('alice'), tokens.issue('bob'), tokens.issue('alice')]
    tokens.revoke('alice')
    expect(issued.map(token => tokens.ownerOf(token))).to.deep.equal([undefined, 'bob', undefined])
  })

  it('are bounded: the oldest makes room', () => {
    const { tokens } = setUp()
    const first = tokens.issue('first')
    for (let count = 0; count < BULK_TOKENS_MAX; count += 1) tokens.issue('others')
    expect(tokens.count).to.equal(BULK_TOKENS_MAX)
    expect(tokens.ownerOf(first)).to.equal(undefined)
  })
})
