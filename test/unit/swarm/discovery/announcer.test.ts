/** When releases are announced, and how often. */
import { expect } from 'chai'
import { type Digest, digestOf } from '../../../../src/core/digest.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { Announcer } from '../../../../swarm/discovery/announcer.ts'
import {
  ANNOUNCE_INTERVAL_MS,
  ANNOUNCE_PAUSE_MS,
  PROVIDER_VALID_MS,
} from '../../../../swarm/discovery/limits.ts'
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts'

const releases = (count: number): readonly Digest[] =>
  Array.from({ length: count }, (_, index) => digestOf(Buffer.from(String(index))))

describe('the announcer', () => {
  let clock: ManualClock
  let announcer: Announcer
  let provided: Digest[]
  let withdrawn: Digest[]
  let told: [string, number][]

  beforeEach(() => {
    clock = createManualClock()
    provided = []
    withdrawn = []
    told = []
    announcer = new Announcer({
      clock,
      log: silentLog,
      random: () => 0.999,
      network: {
        async provide(release) {
          provided.push(release)
        },
        async provideTo({ peerId }, all) {
          told.push([peerId, all.length])
        },
        async withdraw(release) {
          withdrawn.push(release)
        },
      },
    })
    announcer.start()
  })
  afterEach(() => announcer.stop())

  it('announces a new release at once, and many one after the other', async () => {
    announcer.set(releases(5))
    await clock.advance(0)
    expect(provided).to.have.length(1)
    for (let left = 4; left > 0; left -= 1) await clock.advance(ANNOUNCE_PAUSE_MS)
    expect([...provided].sort()).to.deep.equal([...releases(5)].sort())
  })

  it('announces each again before its record ends, even when chance is late', async () => {
    announcer.set(releases(1))
    await clock.advance(0)
    await clock.advance(ANNOUNCE_INTERVAL_MS * 1.25)
    expect(provided).to.have.length(2)
    expect(ANNOUNCE_INTERVAL_MS * 1.25).to.be.lessThan(PROVIDER_VALID_MS / 2)
  })

  it('announces a thousand releases a bounded number of times in a day', async () => {
    announcer.set(releases(1_000))
    const stepMs = 5_000
    for (let atMs = 0; atMs < 24 * 3_600_000; atMs += stepMs) await clock.advance(stepMs)
    expect(provided.length).to.be.within(6_000, 11_000)
  }).timeout(20_000)

  it('withdraws what is no longer held, and does not announce it again', async () => {
    const [first, second] = releases(2) as [Digest, Digest]
    announcer.set([first, second])
    await clock.advance(0)
    await clock.advance(ANNOUNCE_PAUSE_MS)
    announcer.set([second])
    provided.length = 0
    await clock.advance(2 * ANNOUNCE_INTERVAL_MS)
    expect([withdrawn, [...new Set(provided)]]).to.deep.equal([[first], [second]])
  })

  it('tells a peer that joins of everything in one go, once a minute however often it comes', async () => {
    announcer.tell('early', 'lan')
    announcer.set(releases(3))
    for (let left = 10; left > 0; left -= 1) announcer.tell('p', 'lan')
    announcer.tell('q', 'lan')
    await clock.advance(60_000)
    announcer.tell('p', 'lan')
    expect(told).to.deep.equal([
      ['p', 3],
      ['q', 3],
      ['p', 3],
    ])
  })
})
