/** Fetches blobs between real libp2p nodes and a real HTTP origin on loopback. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'
import { startNode, untilPeers } from '../support/swarm/nodes.ts'
import { startOrigin } from '../support/swarm/origin-server.ts'

const MIB = 1024 * 1024
const release = digestOf(Buffer.from('release'))

describe('swarm', () => {
  it('gets a blob from the origin alone', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(5 * MIB + 123, 1)
    const digest = origin.add(bytes)
    await using node = await startNode({ origins: [origin.url] })
    const blob = await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
    expect(Buffer.compare(await readFile(blob.path), bytes)).to.equal(0)
    expect(node.swarm.status().totals).to.deep.equal({ peer: 0, origin: bytes.byteLength })
  })

  it('gets a blob from a peer alone', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(5 * MIB + 123, 2)
    const digest = origin.add(bytes)
    origin.isEmpty = true
    await using seed = await startNode()
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    const blob = await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
    expect(Buffer.compare(await readFile(blob.path), bytes)).to.equal(0)
    expect(node.swarm.status().totals).to.deep.equal({ peer: bytes.byteLength, origin: 0 })
  })
})
