/** Provider records of the DHT: three real hosts on loopback, of which two only know the third. */
import { join } from 'node:path'
import { expect } from 'chai'
import { systemClock } from '../../src/core/clock.ts'
import { digestOf } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import { createNetwork } from '../../swarm/libp2p/network.ts'
import type { FoundPeer, Network } from '../../swarm/network.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const RELEASE = digestOf(Buffer.from('a release'))
const TIMEOUT_MS = 20_000

async function openNetwork(folder: TempFolder, name: string): Promise<Network> {
  const network = await createNetwork(
    { clock: systemClock, random: Math.random, log: silentLog, isBanned: () => false },
    {
      networkName: 'dht-test',
      identityFile: join(folder.path, `${name}.key`),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announceAddresses: [],
      limits: { connectionsMax: 16 },
    },
  )
  await network.start({ onBlobs: () => undefined })
  return network
}

async function holdersOf(network: Network): Promise<readonly FoundPeer[]> {
  const found: FoundPeer[] = []
  for await (const peer of network.findHolders(RELEASE, AbortSignal.timeout(3000))) found.push(peer)
  return found
}

describe('the DHT', function () {
  this.timeout(60_000)
  let folder: TempFolder
  let holder: Network
  let middle: Network
  let seeker: Network

  before(async () => {
    folder = await makeTempFolder()
    middle = await openNetwork(folder, 'middle')
    holder = await openNetwork(folder, 'holder')
    seeker = await openNetwork(folder, 'seeker')
    await holder.dial(middle.addresses(), AbortSignal.timeout(TIMEOUT_MS))
    await seeker.dial(middle.addresses(), AbortSignal.timeout(TIMEOUT_MS))
  })
  after(async () => {
    await Promise.all([holder.stop(), middle.stop(), seeker.stop()])
    await folder[Symbol.asyncDispose]()
  })

  it('knows no holder of a release that nobody announced', async () => {
    expect(await holdersOf(seeker)).to.deep.equal([])
  })

  it('tells who announced a release, with an address that can be dialled', async () => {
    const found = await waitFor('the record', TIMEOUT_MS, async () => {
      await holder.provide(RELEASE, ['lan', 'wan'], AbortSignal.timeout(TIMEOUT_MS))
      return (await holdersOf(seeker)).find(peer => peer.peerId === holder.peerId)
    })
    await seeker.disconnect(holder.peerId)
    await seeker.dial(found.addresses, AbortSignal.timeout(TIMEOUT_MS))
    expect(seeker.isConnected(holder.peerId)).to.equal(true)
  })
})
