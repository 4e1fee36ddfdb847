import { expect } from 'chai'
import { createCollector } from '../../../src/collector.ts'
import { type Digest, digestOf } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { NeededError } from '../../../src/needed.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { makeFolder, openTestStore } from '../../support/store/open.ts'
import { codeRejectedBy, fill, sampleOf } from '../../support/store/samples.ts'

const KIB = 1024
const DAY_MS = 86_400_000
const samples = [1, 2, 3].map(seed => sampleOf(400 * KIB, seed))
const digests = samples.map(({ id }) => id.digest)

async function openWorld(quotaBytes: number) {
  const folder = await makeFolder()
  const clock = createManualClock()
  const store = await openTestStore(folder.path, { quotaBytes, clock })
  const world = {
    store,
    clock,
    collected: 0,
    needed: new Map<Digest, string>(),
    neededFails: false,
    servable: new Set<Digest>(digests),
    held: () =>
      digests.flatMap((digest, index) => (store.held(digest) === undefined ? [] : [index])),
    async fill() {
      for (const sample of samples) {
        await fill(store, sample)
        await clock.advance(1_000)
      }
    },
  }
  const collector = createCollector({
    ...{ store, clock, log: silentLog },
    readNeeded: async () => {
      if (world.neededFails) throw new NeededError('NEEDS_UNKNOWN', 'a record is damaged')
      return world.needed
    },
    mayServe: digest => world.servable.has(digest),
    async onCollected() {
      world.collected += 1
    },
  })
  return Object.assign(world, {
    collector,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  })
}

describe('collector', () => {
  it('makes room for a download from the seed that was not used for longest', async () => {
    await using world = await openWorld(900 * KIB)
    await world.fill()
    expect(world.held()).to.deep.equal([1, 2])
    expect(world.collected).to.equal(1)
  })

  it('makes no room from what must be kept, and then deletes nothing at all', async () => {
    await using world = await openWorld(1_300 * KIB)
    await world.fill()
    world.needed = new Map(digests.slice(0, 2).map(digest => [digest, 'installed']))
    const large = sampleOf(1_000 * KIB, 9)
    expect(await codeRejectedBy(world.store.openWriter(large.id))).to.equal('QUOTA_EXCEEDED')
    expect(world.held()).to.deep.equal([0, 1, 2])
  })

  it('deletes nothing while it is not known what must be kept', async () => {
    await using world = await openWorld(1_300 * KIB)
    await world.fill()
    world.servable.clear()
    world.neededFails = true
    expect(await world.collector.collect(false).catch(codeOf)).to.equal('NEEDS_UNKNOWN')
    await world.collector.look()
    expect(await codeRejectedBy(world.store.openWriter(sampleOf(400 * KIB, 9).id))).to.equal(
      'QUOTA_EXCEEDED',
    )
    expect(world.held()).to.deep.equal([0, 1, 2])
  })

  it('cleans up once a day: what nothing leads to after a day, seeds above the high mark', async () => {
    await using world = await openWorld(1_300 * KIB)
    await world.fill()
    world.servable.delete(digests[1] as Digest)
    await world.collector.look()
    // 1,224 of 1,300 KiB are below the high mark, and the unreachable one was used a moment ago.
    expect(world.held()).to.deep.equal([0, 1, 2])
    await world.clock.advance(DAY_MS - 10_000)
    await world.collector.look()
    expect(world.held()).to.deep.equal([0, 1, 2])
    await world.clock.advance(20_000)
    await world.collector.look()
    expect(world.held()).to.deep.equal([0, 2])
  })

  it('deletes seeds only down to the low mark, and only above the high one', async () => {
    await using world = await openWorld(1_250 * KIB)
    await world.fill()
    await world.collector.look()
    expect(world.held()).to.deep.equal([1, 2])
  })

  it('deletes what nothing leads to at once when its owner asks, and nothing in a dry run', async () => {
    await using world = await openWorld(1_300 * KIB)
    await world.fill()
    world.servable.clear()
    world.needed = new Map([[digests[0] as Digest, 'pinned']])
    const dry = await world.collector.collect(true)
    expect(dry.removals.map(({ digest }) => digest)).to.deep.equal(digests.slice(1))
    expect(world.held()).to.deep.equal([0, 1, 2])
    const { usage, freedBytes } = await world.collector.collect(false)
    expect(world.held()).to.deep.equal([0])
    expect(freedBytes).to.equal(2 * 408 * KIB)
    expect(usage.usedBytes).to.equal(408 * KIB)
  })

  it('says what each blob is to this node', async () => {
    await using world = await openWorld(1_300 * KIB)
    world.needed = new Map([[digests[0] as Digest, 'pinned']])
    const roleOf = await world.collector.roles()
    expect(roleOf(digests[0] as Digest)).to.deep.equal({ kind: 'keep', why: 'pinned' })
    expect(roleOf(digests[1] as Digest).kind).to.equal('seed')
    expect(roleOf(digestOf(Buffer.from('else'))).kind).to.equal('unreachable')
  })
})
