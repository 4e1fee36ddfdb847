/** The peers that a catalog names. */
import { expect } from 'chai'
import { BOOTSTRAP_COUNT_MAX, parseBootstrap } from '../../../catalog/bootstrap.ts'

const ID = `12D3KooW${'A'.repeat(44)}`
const at = (place: string): string => `${place}/p2p/${ID}`
const good = at('/ip4/9.9.9.9/tcp/4001')

describe('the peers that a catalog names', () => {
  it('are IPv4 and IPv6 addresses with a port and a peer id, each once', () => {
    const addresses = [good, at('/ip6/2606:4700::1/tcp/1'), at('/ip4/10.0.0.1/tcp/65535')]
    expect(parseBootstrap([...addresses, good])).to.deep.equal({ addresses, problems: [] })
  })

  it('are none in a catalog without a list', () => {
    expect(parseBootstrap(undefined)).to.deep.equal({ addresses: [], problems: [] })
  })

  const malformed: readonly (readonly [string, unknown])[] = [
    ['a number', 7],
    ['an object', {}],
    ['no peer id', '/ip4/9.9.9.9/tcp/4001'],
    ['a name, which would have to be resolved', at('/dns4/example.org/tcp/4001')],
    ['an IPv6 address as IPv4', at('/ip4/2606:4700::1/tcp/1')],
    ['an IPv4 address as IPv6', at('/ip6/9.9.9.9/tcp/1')],
    ['port 0', at('/ip4/9.9.9.9/tcp/0')],
    ['a port beyond the last', at('/ip4/9.9.9.9/tcp/65536')],
    ['another transport', at('/ip4/9.9.9.9/udp/4001/quic-v1')],
    ['a relayed peer', `${good}/p2p-circuit/p2p/${ID}`],
    ['a peer id that is none', '/ip4/9.9.9.9/tcp/1/p2p/0OIl'],
    ['something longer than an address', at(`/ip6/${'0'.repeat(300)}/tcp/1`)],
  ]
  for (const [what, address] of malformed) {
    it(`leave out ${what}, and keep the others`, () => {
      const { addresses, problems } = parseBootstrap([address, good])
      expect(addresses).to.deep.equal([good])
      expect(problems).to.have.length(1)
      expect(problems[0]?.length).to.be.below(200)
    })
  }

  it('are no more than the bound, whatever the list has', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => at(`/ip4/9.9.9.9/tcp/${index + 1}`))
    const { addresses, problems } = parseBootstrap(many)
    expect(addresses).to.deep.equal(many.slice(0, BOOTSTRAP_COUNT_MAX))
    expect(problems).to.deep.equal(['984 more than 16 addresses'])
  })

  it('are none where the list is no list', () => {
    for (const value of [{}, 'x', 1, null, true]) {
      expect(parseBootstrap(value).addresses).to.deep.equal([])
      expect(parseBootstrap(value).problems).to.have.length(1)
    }
  })
})
