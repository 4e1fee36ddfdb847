/** Which provider records are kept when there are too many. */
import { expect } from 'chai'
import {
  PROVIDER_RECORDS_MAX,
  PROVIDER_RECORDS_PER_KEY_MAX,
  PROVIDER_RECORDS_PER_PEER_MAX,
} from '../../../swarm/discovery/limits.ts'
import { ProviderTable } from '../../../swarm/libp2p/provider-table.ts'

const VALUE = new Uint8Array(0)

describe('provider records', () => {
  let table: ProviderTable
  const put = (place: string, peerId: string): void =>
    table.put({ place, peerId, value: VALUE, atMs: 0 })
  const putMany = (peerId: string, count: number, prefix = ''): void => {
    for (let index = 0; index < count; index += 1) put(`${prefix}${index}`, peerId)
  }

  beforeEach(() => {
    table = new ProviderTable('me')
  })

  it('of one peer are bounded: it loses its own oldest', () => {
    putMany('a', PROVIDER_RECORDS_PER_PEER_MAX + 1)
    expect(table.countOf('a')).to.equal(PROVIDER_RECORDS_PER_PEER_MAX)
    expect(table.get('0', 'a')).to.equal(undefined)
    expect(table.get('1', 'a')).to.not.equal(undefined)
  })

  it('that are said again count as new', () => {
    putMany('a', PROVIDER_RECORDS_PER_PEER_MAX)
    put('0', 'a')
    put('new', 'a')
    expect(table.get('0', 'a')).to.not.equal(undefined)
    expect(table.get('1', 'a')).to.equal(undefined)
  })

  it('of one key are bounded: the oldest goes', () => {
    for (let index = 0; index <= PROVIDER_RECORDS_PER_KEY_MAX; index += 1) put('key', `p${index}`)
    const kept = table.at('key').map(({ peerId }) => peerId)
    expect(kept).to.have.length(PROVIDER_RECORDS_PER_KEY_MAX)
    expect(kept).to.not.include('p0')
  })

  it('are bounded in all: who has the most loses first, and those with few lose none', () => {
    putMany('honest', 100)
    const peers = PROVIDER_RECORDS_MAX / PROVIDER_RECORDS_PER_PEER_MAX
    for (let index = 0; index <= peers; index += 1) {
      putMany(`flood${index}`, PROVIDER_RECORDS_PER_PEER_MAX, `${index}/`)
    }
    expect(table.foreignCount).to.equal(PROVIDER_RECORDS_MAX)
    expect(table.countOf('honest')).to.equal(100)
  })

  it('of this node itself are all kept, and take nobody the place', () => {
    putMany('me', PROVIDER_RECORDS_PER_PEER_MAX + 10)
    put('0', 'a')
    expect(table.countOf('me')).to.equal(PROVIDER_RECORDS_PER_PEER_MAX + 10)
    expect(table.foreignCount).to.equal(1)
    for (let index = 0; index < PROVIDER_RECORDS_PER_KEY_MAX; index += 1) put('0', `p${index}`)
    expect(table.get('0', 'me')).to.not.equal(undefined)
  })

  it('are gone when they are deleted, in every count', () => {
    put('0', 'a')
    table.delete('0', 'a')
    expect([table.foreignCount, table.countOf('a'), table.at('0'), table.all()]).to.deep.equal([
      0,
      0,
      [],
      [],
    ])
  })
})
