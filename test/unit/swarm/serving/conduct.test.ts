/** Points for what peers do wrong: what is forgiven, what ends a connection, and what is a ban. */
import { expect } from 'chai'
import { CONDUCT_PEERS_MAX } from '../../../../swarm/limits.ts'
import { Conduct, type Offence, type Verdict } from '../../../../swarm/serving/conduct.ts'

/** The verdict after `count` offences, one every `eachMs`. */
function after(offence: Offence, count: number, eachMs = 0): Verdict {
  const conduct = new Conduct()
  let verdict: Verdict = 'none'
  for (let n = 0; n < count; n += 1) {
    verdict = conduct.note('peer', offence, n * eachMs).verdict
  }
  return verdict
}

describe('Conduct', () => {
  it('forgives a whole queue of requests for a blob that was withdrawn or deleted meanwhile', () => {
    expect(after('unknown blob', 64)).to.equal('none')
    expect(after('broken promise', 64)).to.equal('none')
  })

  it('cuts off who goes on asking for what is not there', () => {
    expect(after('unknown blob', 200)).to.equal('cut off')
    expect(after('broken promise', 100)).to.equal('cut off')
    expect(after('unanswered', 17)).to.equal('cut off')
  })

  it('never bans for what an honest peer on a bad link does', () => {
    for (const offence of ['slow reader', 'silent', 'unanswered', 'broken promise'] as const) {
      expect(after(offence, 10_000, 1_000), offence).to.not.equal('ban')
    }
  })

  it('cuts off a flood after a few pauses, and bans who comes back with it', () => {
    expect(after('flood', 1)).to.equal('none')
    expect(after('flood', 2)).to.equal('cut off')
    expect(after('flood', 8)).to.equal('ban')
  })

  it('cuts off at the first byte that is no message, and bans at the eighth try', () => {
    expect(after('broke the protocol', 1)).to.equal('cut off')
    expect(after('broke the protocol', 8)).to.equal('ban')
  })

  it('bans at once who sends wrong bytes', () => {
    expect(after('wrong bytes', 1)).to.equal('ban')
  })

  it('forgets with time', () => {
    expect(after('malformed request', 1_000, 5_001)).to.equal('none')
    expect(after('malformed request', 1_000, 2_000)).to.equal('ban')
  })

  it('keeps out who was cut off, longer each time, and does not count what was still on its way', () => {
    const conduct = new Conduct()
    const judge = (nowMs: number) => conduct.note('peer', 'silent', nowMs)
    expect(judge(0)).to.include({ verdict: 'cut off', shunMs: 10_000 })
    expect(judge(500).verdict).to.equal('none')
    expect(judge(11_000)).to.include({ verdict: 'cut off', shunMs: 20_000 })
    expect(judge(15_000)).to.include({ verdict: 'cut off', shunMs: 40_000 })
    expect(judge(1_000_000)).to.include({ verdict: 'cut off', shunMs: 10_000 })
  })

  it('tells what each did, and forgets the longest quiet', () => {
    const conduct = new Conduct()
    conduct.note('flooder', 'flood', 0)
    conduct.note('flooder', 'unknown blob', 0)
    conduct.note('flooder', 'flood', 2_000)
    expect(conduct.list(3_000)).to.deep.equal([
      {
        peerId: 'flooder',
        points: 48,
        offences: { flood: 2, 'unknown blob': 1 },
        verdict: 'none',
      },
    ])
    for (let n = 0; n < CONDUCT_PEERS_MAX; n += 1) conduct.note(`peer ${n}`, 'silent', 4_000)
    expect(conduct.list(5_000)).to.have.length(CONDUCT_PEERS_MAX)
    expect(conduct.list(5_000).some(({ peerId }) => peerId === 'flooder')).to.equal(false)
  })
})
