/** Peers that name each other: real nodes on loopback that announce nothing to the DHT. */
import { expect } from 'chai'
import { digestOf } from '../../src/core/digest.ts'
import { startNode, type TestNode, until, untilPeers } from '../support/swarm/nodes.ts'

const release = digestOf(Buffer.from('release'))
/** Nobody has it: whoever fetches it goes on looking for holders of the release. */
const wanted = { digest: digestOf(Buffer.from('missing')), sizeBytes: 7 }
/** kad-dht finds every peer of such a small network in the end; it begins a second after the start. */
const ATTEMPTS = 5

/** Looks for holders of the release until the returned function is called. */
function seek(node: TestNode): () => Promise<void> {
  const caller = new AbortController()
  const { signal } = caller
  const fetching = node.swarm.fetch(wanted, { release, signal }).catch(() => undefined)
  return async () => {
    caller.abort(new Error('enough'))
    await fetching
  }
}

describe('peer exchange', () => {
  it('leads a getter to others who share in a release, through the only peer that it knows', async () => {
    await using hub = await startNode()
    const bootstrap = hub.swarm.addresses()
    await using sharer = await startNode({ bootstrap })
    await untilPeers(sharer, 1)
    const stopSharer = seek(sharer)
    let found: string | undefined
    for (let left = ATTEMPTS; left > 0 && found !== 'exchange'; left -= 1) {
      await using getter = await startNode({ bootstrap })
      const stopGetter = seek(getter)
      const isSharer = ({ peerId }: { peerId: string }): boolean => peerId === sharer.swarm.peerId
      await until('it meets the sharer', () => getter.swarm.status().peers.some(isSharer))
      found = getter.swarm.status().peers.find(isSharer)?.found
      await stopGetter()
    }
    await stopSharer()
    expect(found).to.equal('exchange')
  })
})
