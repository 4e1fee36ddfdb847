import { expect } from 'chai'
import { CatalogError } from '../../../catalog/errors.ts'
import { createCatalogSources } from '../../../src/catalog-sources.ts'
import type { CatalogRelay } from '../../../swarm/index.ts'

describe('whom the catalog asks', () => {
  const head = (timestamp: number, root = 1) => ({ root, timestamp, content: 'ab'.repeat(32) })
  /** As many as a refresh asks. */
  const PLACES = 8

  function setUp(claims: Readonly<Record<string, number>>, given: Uint8Array | undefined) {
    const lowered = new Set<string>()
    const peers = () =>
      Object.entries(claims).map(([peerId, timestamp]) => ({
        peerId,
        head: head(timestamp),
        isLowered: lowered.has(peerId),
      }))
    const relay: CatalogRelay = {
      peers,
      get: async () => given,
      announce: () => {},
      announceProof: () => {},
      sendProof: () => {},
      lower: peerId => void lowered.add(peerId),
    }
    let draw = 0
    const random = (): number => {
      draw += 1
      return (draw * 0.618) % 1
    }
    const sources = createCatalogSources([], random)
    sources.use(relay, () => head(2))
    const asked = (): readonly string[] =>
      sources
        .sources()
        .slice(0, PLACES)
        .map(({ name }) => name)
    return { sources, lowered, asked }
  }
  const many = (name: string, count: number, timestamp: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}${index}`, timestamp]))
  const timestampOf = (version: number): Uint8Array =>
    Buffer.from(JSON.stringify({ signed: { version } }))

  it('is made of parts that can be handed on one by one', () => {
    const { sources } = setUp({ peer: 3 }, undefined)
    const parts = { ...sources }
    expect(parts.sources().map(({ name }) => name)).to.deep.equal(['peer'])
  })

  it('asks those that were lowered after all others, whatever they claim', () => {
    const { sources, asked } = setUp({ ...many('liar', 8, 2 ** 48 - 1), honest: 3 }, undefined)
    for (let liar = 0; liar < 8; liar += 1) sources.relay()?.lower(`liar${liar}`)
    expect(asked()[0]).to.equal('honest')
    expect(asked()).to.have.length(PLACES)
  })

  it('keeps some places for chance: a claim that no peer can match hides nobody for long', () => {
    const { asked } = setUp({ ...many('liar', 12, 2 ** 48 - 1), honest: 3 }, undefined)
    const rounds = Array.from({ length: 60 }, asked)
    expect(rounds.some(names => names.includes('honest'))).to.equal(true)
    expect(rounds.every(names => new Set(names).size === PLACES)).to.equal(true)
  })

  it('finds one honest peer in two rounds among liars that are found out', async () => {
    const { sources, asked } = setUp({ ...many('liar', 12, 2 ** 48 - 1), honest: 3 }, undefined)
    for (let round = 0; round < 2; round += 1) {
      for (const name of asked().filter(other => other !== 'honest')) {
        await sources.peer(name).get('timestamp.json', 16_384)
      }
    }
    expect(asked()).to.include('honest')
  })

  const unkept: Readonly<Record<string, Uint8Array | undefined>> = {
    'gives nothing': undefined,
    'gives an older one': timestampOf(4),
    'gives garbage': Buffer.from('{'),
    'gives something else': Buffer.from('[null]'),
  }
  for (const [what, given] of Object.entries(unkept)) {
    it(`lowers a peer that claims a catalog and ${what}`, async () => {
      const { sources, lowered } = setUp({ peer: 5 }, given)
      await sources.peer('peer').get('timestamp.json', 16_384)
      expect([...lowered]).to.deep.equal(['peer'])
    })
  }

  it('holds it against nobody to give what he claims, or more', async () => {
    const { sources, lowered } = setUp({ exact: 5, more: 4 }, timestampOf(5))
    for (const name of ['exact', 'more']) await sources.peer(name).get('timestamp.json', 16_384)
    await sources.peer('exact').get('7.root.json', 512_000)
    expect(lowered).to.be.empty
  })

  for (const code of [
    'METADATA_UNREACHABLE',
    'METADATA_MISSING',
    'METADATA_EXPIRED',
    'VERSION_ROLLBACK',
  ] as const) {
    it(`holds ${code} against a peer only when it claimed something newer`, () => {
      const { sources, lowered } = setUp({ behind: 2, liar: 3 }, undefined)
      const error = new CatalogError(code, 'a reason')
      for (const name of ['behind', 'liar']) sources.onRefused(sources.peer(name), error)
      expect([...lowered]).to.deep.equal(['liar'])
    })
  }

  it('holds a wrong signature against everybody', () => {
    const { sources, lowered } = setUp({ behind: 1 }, undefined)
    const error = new CatalogError('SIGNATURE_THRESHOLD', 'a reason')
    sources.onRefused(sources.peer('behind'), error)
    expect([...lowered]).to.deep.equal(['behind'])
  })
})
