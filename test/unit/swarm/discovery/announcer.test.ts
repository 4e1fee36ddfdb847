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

const BOTH = ['lan', 'wan'] as const

describe('the announcer', () => {
  let clock: ManualClock
  let announcer: Announcer
  let provided: Digest[]
  let withdrawn: Digest[]
  let told: [string, number][]
  let places: string[]
  let left: string[]

  beforeEach(() => {
    clock = createManualClock()
    provided = []
    withdrawn = []
    told = []
    places = []
    left = []
    announcer = new Announcer({
      clock,
      log: silentLog,
      random: () => 0.999,
      network: {
        async provide(release, tables) {
          provided.push(release)
          places.push(tables.join())
        },
        async provideTo({ peerId }, all) {
          told.push([peerId, all.length])
        },
        async withdraw(release, tables) {
          withdrawn.push(release)
          left.push(tables.join())
        },
      },
    })
    announcer.start()
  })
  afterEach(() => announcer.stop())

  it('announces a new release at once, and many one after the other', async () => {
    announcer.set(releases(5), BOTH)
    await clock.advance(0)
    expect(provided).to.have.length(1)
    for (let left = 4; left > 0; left -= 1) await clock.advance(ANNOUNCE_PAUSE_MS)
    expect([...provided].sort()).to.deep.equal([...releases(5)].sort())
  })

  it('announces each again before its record ends, even when chance is late', async () => {
    announcer.set(releases(1), BOTH)
    await clock.advance(0)
    await clock.advance(ANNOUNCE_INTERVAL_MS * 1.25)
    expect(provided).to.have.length(2)
    expect(ANNOUNCE_INTERVAL_MS * 1.25).to.be.lessThan(PROVIDER_VALID_MS / 2)
  })

  it('announces a thousand releases a bounded number of times in a day', async () => {
    announcer.set(releases(1_000), BOTH)
    const stepMs = 5_000
    for (let atMs = 0; atMs < 24 * 3_600_000; atMs += stepMs) await clock.advance(stepMs)
    expect(provided.length).to.be.within(6_000, 11_000)
  }).timeout(20_000)

  it('withdraws what is no longer held, and does not announce it again', async () => {
    const [first, second] = releases(2) as [Digest, Digest]
    announcer.set([first, second], BOTH)
    await clock.advance(0)
    await clock.advance(ANNOUNCE_PAUSE_MS)
    announcer.set([second], BOTH)
    provided.length = 0
    await clock.advance(2 * ANNOUNCE_INTERVAL_MS)
    expect([withdrawn, [...new Set(provided)]]).to.deep.equal([[first], [second]])
  })

  it('tells a peer that joins of everything in one go, once a minute however often it comes', async () => {
    announcer.tell('early', 'lan')
    announcer.set(releases(3), BOTH)
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

  it('announces in the tables that are given, and tells nobody of the others', async () => {
    announcer.set(releases(1), ['lan'])
    announcer.tell('p', 'wan')
    announcer.tell('q', 'lan')
    await clock.advance(0)
    expect(places).to.deep.equal(['lan'])
    expect(told).to.deep.equal([['q', 1]])
  })

  it('announces again at once in a table that is new, and withdraws from one that is no longer there', async () => {
    announcer.set(releases(1), ['lan'])
    await clock.advance(ANNOUNCE_PAUSE_MS)
    announcer.set(releases(1), BOTH)
    await clock.advance(ANNOUNCE_PAUSE_MS)
    expect(places).to.deep.equal(['lan', 'lan,wan'])
    announcer.set(releases(1), ['lan'])
    await clock.advance(ANNOUNCE_PAUSE_MS)
    expect([places.length, left]).to.deep.equal([2, ['wan']])
    announcer.set(releases(1), [])
    expect(left).to.deep.equal(['wan', 'lan'])
  })
})
