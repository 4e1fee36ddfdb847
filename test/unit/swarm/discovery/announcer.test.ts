/** When releases are announced, and how often. */
import { expect } from 'chai'
import { type Digest, digestOf } from '../../../../src/core/digest.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { Announcer } from '../../../../swarm/discovery/announcer.ts'
import {
  ANNOUNCE_BURST,
  ANNOUNCE_INTERVAL_MS,
  ANNOUNCE_PAUSE_MS,
  ANNOUNCE_PER_SECOND,
  ANNOUNCE_TOLD_MAX,
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

  it('takes an hour for a thousand releases after the first ones, and never hurries', async () => {
    announcer.set(releases(1_000), BOTH)
    const atMs: number[] = []
    for (let nowMs = 0; nowMs < 2 * 3_600_000 && provided.length < 1_000; nowMs += 250) {
      while (atMs.length < provided.length) atMs.push(nowMs)
      await clock.advance(250)
    }
    expect(provided).to.have.length(1_000)
    const [early = 0, last = 0] = [atMs[ANNOUNCE_BURST - 1], atMs.at(-1)]
    expect(early).to.be.below(10_000)
    expect(last).to.be.within(3_000_000, 4_500_000)
    for (const [index, ms] of atMs.entries()) {
      const after = atMs[index + ANNOUNCE_BURST + 10] ?? Number.POSITIVE_INFINITY
      expect(after - ms).to.be.at.least((10 / ANNOUNCE_PER_SECOND) * 1000 - 1_000)
    }
  }).timeout(30_000)

  it('lets a release that came last go before the many that wait', async () => {
    announcer.set(releases(500), BOTH)
    for (let left = 100; left > 0; left -= 1) await clock.advance(1_000)
    const [newest] = releases(501).slice(-1) as [Digest]
    announcer.set(releases(501), BOTH)
    for (let left = 5; left > 0; left -= 1) await clock.advance(1_000)
    expect(provided.slice(-2)).to.include(newest)
  })

  it('tells some peers that are there of many new releases at once, and of a few by the walk alone', async () => {
    for (let index = 0; index < 600; index += 1) announcer.tell(`p${index}`, 'lan')
    announcer.tell('far', 'wan')
    announcer.set(releases(ANNOUNCE_BURST), ['lan'])
    expect(told).to.deep.equal([])
    announcer.set(releases(1_000), ['lan'])
    expect(told).to.have.length(ANNOUNCE_TOLD_MAX)
    expect(told.at(-1)).to.deep.equal(['p599', 1_000 - ANNOUNCE_BURST])
    expect(told.map(([peer]) => peer)).to.not.include('far')
    await clock.advance(0)
  })
})
