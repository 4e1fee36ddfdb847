/** The bulk channel between two links: it is used, and nothing is lost when it breaks, in whatever way. */
import { expect } from 'chai'
import type { PeerLink } from '../../swarm/peers/link.ts'
import type { Answer } from '../../swarm/peers/requests.ts'
import type { ModelBlob } from '../model/blob.ts'
import { type LinkPair, startLinkPair } from '../support/swarm/link-pair.ts'
import { until } from '../support/swarm/nodes.ts'

const MIB = 1024 * 1024

/** Asks for every piece at once, as many as a peer accepts. */
function askAll(getter: PeerLink, blob: ModelBlob, signal = new AbortController().signal) {
  const { digest, pieceSizeBytes, bytes } = blob
  const count = Math.ceil(bytes.byteLength / pieceSizeBytes)
  return Array.from({ length: count }, (_, index) => {
    const offset = index * pieceSizeBytes
    const length = Math.min(pieceSizeBytes, bytes.byteLength - offset)
    return getter.request({ digest, offset, length }, { signal })
  })
}

async function expectWhole(answers: readonly Promise<Answer>[], blob: ModelBlob): Promise<void> {
  const parts = (await Promise.all(answers)).map(answer => {
    expect(answer.kind).to.equal('bytes')
    return answer.kind === 'bytes' ? answer.bytes : new Uint8Array(0)
  })
  expect(Buffer.compare(Buffer.concat(parts), blob.bytes)).to.equal(0)
}

/** Until the bulk channel of the pair carried something. */
async function untilOpen({ getter, blob }: LinkPair): Promise<void> {
  const { digest } = blob
  const signal = new AbortController().signal
  await until('the bulk channel is used', async () => {
    await getter.request({ digest, offset: 0, length: 1000 }, { signal })
    return getter.receivedBulkBytes > 1000
  })
}

describe('the bulk channel between two links', () => {
  it('carries what is asked once it is open', async () => {
    await using pair = await startLinkPair({ sizeBytes: 12 * MIB })
    await untilOpen(pair)
    const before = pair.getter.receivedBulkBytes
    await expectWhole(askAll(pair.getter, pair.blob), pair.blob)
    expect(pair.getter.receivedBulkBytes - before).to.be.greaterThan(12 * MIB)
  })

  it('carries what the side asks that cannot dial, because it asks the other one to', async () => {
    await using pair = await startLinkPair({ sizeBytes: 4 * MIB, seederListens: false })
    await untilOpen(pair)
    const before = pair.getter.receivedBulkBytes
    await expectWhole(askAll(pair.getter, pair.blob), pair.blob)
    expect(pair.getter.receivedBulkBytes - before).to.be.greaterThan(4 * MIB)
    expect(pair.proxy.connectionCount).to.equal(0)
  })

  it('loses nothing when it is cut in the middle, and is opened again', async () => {
    const sizeBytes = 12 * MIB
    await using pair = await startLinkPair({ sizeBytes, uploadBytesPerSecond: 8 * MIB })
    const { getter, proxy } = pair
    await untilOpen(pair)
    const before = proxy.forwardedBytes
    const answers = askAll(getter, pair.blob)
    await until('the middle', () => proxy.forwardedBytes - before > sizeBytes / 4)
    proxy.cut()
    await expectWhole(answers, pair.blob)
    await until('it is opened again', async () => {
      await untilOpen(pair)
      return proxy.connectionCount > 1
    })
  })

  it('loses nothing when its other end vanishes without a word', async () => {
    await using pair = await startLinkPair({ sizeBytes: 8 * MIB, uploadBytesPerSecond: 4 * MIB })
    const { getter, proxy, blob } = pair
    await untilOpen(pair)
    const before = proxy.forwardedBytes
    const giveUp = new AbortController()
    const first = askAll(getter, blob, giveUp.signal)
    await until('some of it', () => proxy.forwardedBytes - before > MIB)
    proxy.freeze()
    // What a session does with a source that gives nothing any more: then it asks again.
    giveUp.abort(new Error('too slow'))
    await Promise.all(first)
    await expectWhole(askAll(getter, blob), blob)
  }).timeout(20_000)
})
