/** Which addresses are the home's own, and which a node dials because somebody said so. */
import { expect } from 'chai'
import {
  hostIn,
  mayDialHeard,
  mayDialListed,
  type Reach,
  reachOf,
  scopeOf,
} from '../../../swarm/scope.ts'

const HOSTS: Readonly<Record<Reach, readonly string[]>> = {
  loopback: ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'],
  link: ['169.254.1.2', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd12::1', 'fc00::1'],
  shared: ['100.64.0.1', '100.127.255.255'],
  public: ['1.1.1.1', '172.32.0.1', '11.0.0.1', '2606:4700::1', '::ffff:8.8.8.8'],
  name: ['example.org', 'localhost', '1.2.3'],
  nowhere: ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', '192.0.2.1', '2001:db8::1'],
}

describe('the scope of an address', () => {
  for (const [reach, hosts] of Object.entries(HOSTS)) {
    it(`knows what is ${reach}`, () => {
      for (const host of hosts) expect([host, reachOf(host)]).to.deep.equal([host, reach])
    })
  }

  it('is nowhere for the metadata services of clouds, whatever their range is', () => {
    const hosts = ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '168.63.129.16']
    expect(hosts.map(reachOf)).to.deep.equal(hosts.map(() => 'nowhere'))
  })

  it('is that of the IPv4 address inside an IPv6 one', () => {
    const hosts = ['::ffff:192.168.0.1', '::ffff:c0a8:1', '64:ff9b::192.168.0.1', '64:ff9b::c0a8:1']
    const others = ['2002:c0a8:1::1', '64:ff9b:0:0:0:0:c0a8:1', '64:FF9B::C0A8:1']
    expect([...hosts, ...others].map(reachOf)).to.deep.equal(Array(7).fill('private'))
    expect(reachOf('64:ff9b::808:808')).to.equal('public')
  })

  it('of a connection is the LAN, the Internet, or a relay', () => {
    expect(scopeOf('/ip4/192.168.1.4/tcp/4001/p2p/x')).to.equal('lan')
    expect(scopeOf('/ip6zone/eth0/ip6/fe80::1/tcp/4001')).to.equal('lan')
    expect(scopeOf('/ip6/2606:4700::1/tcp/4001')).to.equal('wan')
    expect(scopeOf('/ip4/100.64.0.9/tcp/4001')).to.equal('wan')
    expect(scopeOf('/dns4/example.org/tcp/4001')).to.equal('wan')
    expect(scopeOf('memory')).to.equal('wan')
    expect(scopeOf('/ip4/192.168.1.4/tcp/4001/p2p/x/p2p-circuit/p2p/y')).to.equal('relay')
  })

  it('reads the host of the relay in a relayed address', () => {
    expect(hostIn('/ip4/9.9.9.9/tcp/1/p2p/x/p2p-circuit/p2p/y')).to.equal('9.9.9.9')
    expect(hostIn('/p2p/x')).to.equal(undefined)
  })
})

describe('an address that a peer told of', () => {
  const addressOf = (host: string): string =>
    `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/4001`
  const allowed = (from: 'lan' | 'wan' | 'relay', isOnLoopback = false): readonly string[] =>
    Object.entries(HOSTS)
      .filter(([, hosts]) =>
        hosts.some(host => mayDialHeard(addressOf(host), { from, isOnLoopback })),
      )
      .map(([reach]) => reach)

  it('is dialled when it is public, whoever said it', () => {
    expect(allowed('wan')).to.deep.equal(['public'])
    expect(allowed('relay')).to.deep.equal(['public'])
  })

  it('is dialled inside the home only when a peer of the home said it', () => {
    expect(allowed('lan')).to.deep.equal(['link', 'private', 'shared', 'public'])
  })

  it('is dialled on loopback only by a node that is itself nowhere else', () => {
    expect(allowed('lan', true)).to.include('loopback')
    expect(allowed('wan', true)).to.deep.equal(['public'])
  })

  it('is never a name, a metadata service or no address at all', () => {
    for (const address of ['/dns4/example.org/tcp/1', '/ip4/169.254.169.254/tcp/80', '/p2p/x', ''])
      expect(mayDialHeard(address, { from: 'lan', isOnLoopback: true }), address).to.equal(false)
  })

  it('is dialled from a signed list as from a stranger, and on loopback by a node that is nowhere else', () => {
    const listed = (isOnLoopback: boolean): readonly string[] =>
      Object.entries(HOSTS)
        .filter(([, hosts]) => hosts.some(host => mayDialListed(addressOf(host), isOnLoopback)))
        .map(([reach]) => reach)
    expect(listed(false)).to.deep.equal(['public'])
    expect(listed(true)).to.deep.equal(['loopback', 'public'])
    expect(mayDialListed('/ip4/9.9.9.9/tcp/1/p2p/x/p2p-circuit/p2p/y', false)).to.equal(false)
  })

  it('is that of the relay when it is relayed', () => {
    const through = (host: string): string => `/ip4/${host}/tcp/1/p2p/x/p2p-circuit/p2p/y`
    const wan = { from: 'wan', isOnLoopback: false } as const
    expect(mayDialHeard(through('9.9.9.9'), wan)).to.equal(true)
    expect(mayDialHeard(through('10.0.0.1'), wan)).to.equal(false)
  })
})
