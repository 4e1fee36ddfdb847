/** Who is told of whom, and what of it is believed. */
import { expect } from 'chai'
import { type Digest, digestOf } from '../../../../src/core/digest.ts'
import { Exchange, type ExchangeLink } from '../../../../swarm/discovery/exchange.ts'
import {
  EXCHANGE_ADDRESSES_MAX,
  EXCHANGE_ANSWERS_BURST,
  EXCHANGE_INTERVAL_MS,
  EXCHANGE_LINKS_MAX,
  EXCHANGE_PEERS_MAX,
} from '../../../../swarm/discovery/limits.ts'
import type { FoundPeer } from '../../../../swarm/network.ts'
import type { Scope } from '../../../../swarm/scope.ts'
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts'

const RELEASE = digestOf(Buffer.from('release'))
const OTHER = digestOf(Buffer.from('other'))
const PUBLIC = '/ip4/9.9.9.9/tcp/4001'
const PRIVATE = '/ip4/192.168.1.9/tcp/4001'

class Link implements ExchangeLink {
  readonly asked: Digest[] = []
  readonly told: (readonly FoundPeer[])[] = []
  readonly peerId: string
  readonly scope: Scope
  readonly #shares: readonly Digest[]

  constructor(peerId: string, scope: Scope, shares: readonly Digest[] = [RELEASE]) {
    this.peerId = peerId
    this.scope = scope
    this.#shares = shares
  }
  sharesIn(digest: Digest): boolean {
    return this.#shares.includes(digest)
  }
  askPeers(release: Digest): void {
    this.asked.push(release)
  }
  tellPeers(_release: Digest, peers: readonly FoundPeer[]): void {
    this.told.push(peers)
  }
}

describe('peer exchange', () => {
  let clock: ManualClock
  let links: Link[]
  let addresses: Map<string, readonly string[]>
  let found: FoundPeer[]
  let exchange: Exchange
  let chance: number

  beforeEach(() => {
    clock = createManualClock()
    links = []
    chance = 0
    addresses = new Map()
    found = []
    exchange = new Exchange({
      clock,
      random: () => chance,
      isOnLoopback: false,
      links: () => links,
      addressesOf: async peerId => addresses.get(peerId) ?? [PUBLIC, PRIVATE],
      mayServe: digest => digest === RELEASE,
      onFound: peer => found.push(peer),
    })
  })
  function add(peerId: string, scope: Scope = 'lan', shares?: readonly Digest[]): Link {
    const link = new Link(peerId, scope, shares)
    links.push(link)
    return link
  }

  it('names those who share in a release, and neither the asker nor anybody else', async () => {
    const asker = add('asker')
    add('sharer')
    add('stranger', 'lan', [])
    await exchange.handleAsk(asker, RELEASE)
    expect(asker.told).to.deep.equal([[{ peerId: 'sharer', addresses: [PUBLIC, PRIVATE] }]])
  })

  it('never tells the Internet an address of the home', async () => {
    const asker = add('asker', 'wan')
    add('sharer')
    addresses.set('inside', [PRIVATE])
    add('inside')
    await exchange.handleAsk(asker, RELEASE)
    expect(asker.told).to.deep.equal([[{ peerId: 'sharer', addresses: [PUBLIC] }]])
  })

  it('tells nobody an address inside the home that a peer on the Internet says it has', async () => {
    const asker = add('asker')
    add('outside', 'wan')
    await exchange.handleAsk(asker, RELEASE)
    expect(asker.told).to.deep.equal([[{ peerId: 'outside', addresses: [PUBLIC] }]])
  })

  it('says nothing of a release that this node may not serve', async () => {
    const asker = add('asker')
    add('sharer', 'lan', [OTHER])
    await exchange.handleAsk(asker, OTHER)
    expect(asker.told).to.deep.equal([[]])
  })

  it('names a bounded number of peers and of addresses', async () => {
    const asker = add('asker')
    for (let index = 0; index < 40; index += 1) {
      addresses.set(`p${index}`, Array(9).fill(PUBLIC))
      add(`p${index}`)
    }
    await exchange.handleAsk(asker, RELEASE)
    expect(asker.told[0]).to.have.length(EXCHANGE_PEERS_MAX)
    expect(asker.told[0]?.[0]?.addresses).to.have.length(EXCHANGE_ADDRESSES_MAX)
  })

  it('answers one peer a bounded number of questions', async () => {
    const asker = add('asker')
    for (let left = 100; left > 0; left -= 1) await exchange.handleAsk(asker, RELEASE)
    expect(asker.told).to.have.length(EXCHANGE_ANSWERS_BURST)
    await clock.advance(5_000)
    await exchange.handleAsk(asker, RELEASE)
    expect(asker.told).to.have.length(EXCHANGE_ANSWERS_BURST + 1)
  })

  it('asks some peers, and each of them about a release once in an interval', async () => {
    for (let index = 0; index < 2 * EXCHANGE_LINKS_MAX; index += 1) add(`p${index}`)
    const askedCount = (): number => links.flatMap(({ asked }) => asked).length
    exchange.seek(RELEASE)
    expect(askedCount()).to.equal(EXCHANGE_LINKS_MAX)
    exchange.seek(RELEASE)
    exchange.seek(RELEASE)
    expect(askedCount()).to.equal(2 * EXCHANGE_LINKS_MAX)
    exchange.seek(OTHER)
    expect(askedCount()).to.equal(3 * EXCHANGE_LINKS_MAX)
    await clock.advance(EXCHANGE_INTERVAL_MS)
    exchange.seek(RELEASE)
    expect(askedCount()).to.equal(4 * EXCHANGE_LINKS_MAX)
  })

  it('believes one answer to each question, and none that it did not ask', () => {
    const link = add('teller')
    const peers = [{ peerId: 'x', addresses: [PUBLIC] }]
    exchange.handleTell(link, RELEASE, peers)
    expect(found).to.deep.equal([])
    exchange.seek(RELEASE)
    exchange.handleTell(link, OTHER, peers)
    expect(found).to.deep.equal([])
    exchange.handleTell(link, RELEASE, peers)
    exchange.handleTell(link, RELEASE, peers)
    expect(found).to.deep.equal(peers)
  })

  it('hears of addresses of the home only from inside it', () => {
    const outside = add('outside', 'wan')
    const inside = add('inside')
    exchange.seek(RELEASE)
    const peers = [
      { peerId: 'x', addresses: [PRIVATE, PUBLIC] },
      { peerId: 'y', addresses: [PRIVATE, '/ip4/169.254.169.254/tcp/80', '/ip4/127.0.0.1/tcp/1'] },
    ]
    exchange.handleTell(outside, RELEASE, peers)
    expect(found).to.deep.equal([{ peerId: 'x', addresses: [PUBLIC] }])
    found.length = 0
    exchange.handleTell(inside, RELEASE, peers)
    expect(found).to.deep.equal([
      { peerId: 'x', addresses: [PRIVATE, PUBLIC] },
      { peerId: 'y', addresses: [PRIVATE] },
    ])
  })

  it('does not look at those that are named in the order in which they are named', () => {
    const link = add('p')
    exchange.seek(RELEASE)
    chance = 0.99
    const peers = ['a', 'b', 'c'].map(peerId => ({ peerId, addresses: [PUBLIC] }))
    exchange.handleTell(link, RELEASE, peers)
    expect(found.map(({ peerId }) => peerId)).to.deep.equal(['c', 'b', 'a'])
  })
})
