/** A blob that is being sent to a peer is not collected meanwhile, and is when the peer has it. Real nodes on loopback. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'
import { startNode, type TestNode, until, untilPeers } from '../support/swarm/nodes.ts'

const MIB = 1024 * 1024
const release = digestOf(Buffer.from('release'))

async function collectEverything(node: TestNode): Promise<number> {
  const { removed } = await node.store.collect(() => ({ kind: 'unreachable' }), {
    unreachableBeforeMs: Number.POSITIVE_INFINITY,
    isDryRun: false,
    budget: { bytes: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY },
  })
  return removed.length
}

describe('a blob that is being served', () => {
  it('stays until the peer has it, whatever a clean-up thinks of it', async () => {
    const bytes = bytesOf(4 * MIB, 1)
    const digest = digestOf(bytes)
    await using seed = await startNode({ limits: { uploadBytesPerSecond: 2 * MIB } })
    await seed.hold(digest, bytes)
    await using node = await startNode({ bootstrap: seed.swarm.addresses() })
    await untilPeers(node, 1)
    let receivedBytes = 0
    const fetching = node.swarm.fetch(
      { digest, sizeBytes: bytes.byteLength },
      {
        release,
        onProgress: ({ heldBytes }) => {
          receivedBytes = heldBytes
        },
      },
    )
    await until('the first piece', () => receivedBytes > 0)
    expect(await collectEverything(seed)).to.equal(0)
    const blob = await fetching
    expect((await readFile(blob.path)).equals(bytes)).to.equal(true)
    await until('the answers to end', async () => (await collectEverything(seed)) === 1)
    expect(seed.store.held(digest)).to.equal(undefined)
  })
})
