/** Which machines ask a router for a port. */
import type { NetworkInterfaceInfo } from 'node:os'
import { expect } from 'chai'
import { hasHomeRouter } from '../../../swarm/libp2p/gateway.ts'

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n'
const ROUTE = (name: string, gateway: string): string =>
  `${HEAD}${name}\t00000000\t${gateway}\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`
const HOME = ROUTE('eth0', '0101A8C0')
const at = (address: string): Record<string, NetworkInterfaceInfo[]> => ({
  eth0: [
    {
      address,
      family: 'IPv4',
      netmask: '255.255.255.0',
      mac: '00:00:00:00:00:00',
      internal: false,
      cidr: null,
    },
  ],
})
const ANY = ['/ip4/0.0.0.0/tcp/4001']

describe('a router is asked for a port', () => {
  it('by a machine of the home that listens for it', () => {
    expect(hasHomeRouter(HOME, at('192.168.1.7'), ANY)).to.equal(true)
    expect(hasHomeRouter(HOME, at('192.168.1.7'), ['/ip4/192.168.1.7/tcp/1'])).to.equal(true)
  })

  it('not by one that listens elsewhere, or nowhere', () => {
    for (const listen of [['/ip4/127.0.0.1/tcp/1'], ['/ip6/::/tcp/1'], []])
      expect(hasHomeRouter(HOME, at('192.168.1.7'), listen)).to.equal(false)
  })

  it('not by one that has a public address, or whose router has', () => {
    expect(hasHomeRouter(HOME, at('9.9.9.9'), ANY)).to.equal(false)
    expect(hasHomeRouter(ROUTE('eth0', '01090909'), at('192.168.1.7'), ANY)).to.equal(false)
  })

  it('not without a default route, or over another interface', () => {
    expect(hasHomeRouter(HEAD, at('192.168.1.7'), ANY)).to.equal(false)
    expect(hasHomeRouter(ROUTE('tun0', '0101A8C0'), at('192.168.1.7'), ANY)).to.equal(false)
    expect(hasHomeRouter('nonsense', {}, ANY)).to.equal(false)
  })
})
