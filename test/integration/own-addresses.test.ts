/** Under which addresses a node is told to others: real nodes on loopback. */
import { expect } from 'chai'
import { startNode, untilPeers } from '../support/swarm/nodes.ts'

describe('the addresses of a node', () => {
  it('are those that it listens on, of IPv6 as well, and can be dialled', async () => {
    await using node = await startNode({ listen: ['/ip6/::1/tcp/0', '/ip4/127.0.0.1/tcp/0'] })
    const addresses = node.swarm.addresses()
    const v6 = addresses.filter(address => address.startsWith('/ip6/::1/'))
    expect([v6.length, addresses.length]).to.deep.equal([1, 2])
    await using other = await startNode({ listen: ['/ip6/::1/tcp/0'], bootstrap: v6 })
    await untilPeers(other, 1)
    const [peer] = other.swarm.status().peers
    expect(peer).to.include({ address: v6[0], scope: 'lan', found: 'bootstrap' })
  })

  it('are those that its owner announces, and no others', async () => {
    const announceAddresses = ['/ip4/9.9.9.9/tcp/4001', '/dns4/node.example/tcp/4001']
    await using node = await startNode({ announceAddresses })
    const { peerId } = node.swarm
    expect(node.swarm.addresses()).to.deep.equal(
      announceAddresses.map(address => `${address}/p2p/${peerId}`),
    )
  })
})
