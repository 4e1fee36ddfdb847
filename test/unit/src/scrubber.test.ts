import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { VerifiedBlob } from '../../../src/core/blob.ts'
import type { Digest } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { openDamagedBlobs } from '../../../src/damaged-blobs.ts'
import { createScrubRounds } from '../../../src/scrub-rounds.ts'
import { createScrubber, type Verification } from '../../../src/scrubber.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { makeFolder, openTestStore } from '../../support/store/open.ts'
import { fill, type Sample, sampleOf, writePieces } from '../../support/store/samples.ts'
import { waitFor } from '../../support/wait-for.ts'

const PIECE_BYTES = 256 * 1024
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS

/** A store with blobs, and a network that has them all while it `gives`. */
async function openWorld(...samples: readonly Sample[]) {
  const folder = await makeFolder()
  const clock = createManualClock(1_000 * DAY_MS)
  const store = await openTestStore(folder.path, { clock })
  const paths = new Map<Digest, string>()
  for (const sample of samples) paths.set(sample.id.digest, await fill(store, sample))
  const world = { gives: true, fetched: [] as number[][] }
  const damagedBlobs = await openDamagedBlobs(store, silentLog)
  const scrubber = createScrubber({
    ...{ store, clock, log: silentLog, damagedBlobs },
    releaseOf: digest => digest,
    swarm: {
      async fetch(id): Promise<VerifiedBlob> {
        const sample = samples.find(each => each.id.digest === id.digest)
        if (!world.gives || sample === undefined) throw new Error('nobody has it')
        await using writer = await store.openWriter(id)
        const missing = [...Array(sample.pieceCount).keys()].filter(i => !writer.blob.hasPiece(i))
        world.fetched.push(missing)
        await writePieces(writer, sample, missing)
        return await writer.finish()
      },
    },
  })
  return Object.assign(world, {
    ...{ clock, store, scrubber, damagedBlobs },
    pathOf: (sample: Sample) => paths.get(sample.id.digest) ?? '',
    async damage(sample: Sample, ...pieces: readonly number[]): Promise<void> {
      const bytes = Buffer.from(sample.bytes)
      for (const index of pieces) bytes.write('damage', index * PIECE_BYTES)
      await writeFile(paths.get(sample.id.digest) ?? '', bytes)
    },
    /** Moves time on until the verification that runs has ended. */
    async ended(): Promise<Verification> {
      return await waitFor(
        'the verification',
        5_000,
        async () => {
          await clock.advance(1_000)
          const view = scrubber.current()
          return view?.state === 'running' ? undefined : view
        },
        1,
      )
    },
    async [Symbol.asyncDispose]() {
      await scrubber[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  })
}

describe('scrubber', () => {
  const large = sampleOf(900_000, 1)
  const small = sampleOf(1_000, 2)
  const fast = { bytesPerSecond: 2 ** 30 }

  it('finds nothing in a sound store', async () => {
    await using world = await openWorld(large, small)
    await world.scrubber.start(fast)
    const view = await world.ended()
    expect(view).to.deep.include({ state: 'done', doneCount: 2, damaged: [], skipped: [] })
  })

  it('names the damaged pieces, and fetches exactly those', async () => {
    await using world = await openWorld(large, small)
    await world.damage(large, 0, 2)
    await world.scrubber.start(fast)
    const { damaged } = await world.ended()
    const { digest } = large.id
    expect(damaged).to.deep.equal([{ digest, pieces: [0, 2], state: 'healed' }])
    expect(world.fetched).to.deep.equal([[0, 2]])
    expect((await readFile(world.pathOf(large))).equals(large.bytes)).to.equal(true)
    expect(world.damagedBlobs.list()).to.deep.equal([])
  })

  it('remembers what could not be healed, also over a restart, and heals it later', async () => {
    await using world = await openWorld(large)
    await world.damage(large, 1)
    world.gives = false
    await world.scrubber.start(fast)
    const { damaged } = await world.ended()
    expect(damaged[0]).to.deep.include({ pieces: [1], state: 'missing', reason: 'nobody has it' })
    const reopened = await openDamagedBlobs(world.store, silentLog)
    expect(reopened.list()).to.deep.equal([large.id])
    await world.scrubber.healAgain()
    expect(world.store.verified(large.id.digest)).to.equal(undefined)
    world.gives = true
    await world.scrubber.healAgain()
    expect(world.store.verified(large.id.digest)?.sizeBytes).to.equal(900_000)
    expect(world.damagedBlobs.list()).to.deep.equal([])
  })

  it('reads no faster than it is told, and ends when it is cancelled', async () => {
    await using world = await openWorld(large)
    await world.scrubber.start({ bytesPerSecond: 100_000 })
    const startMs = world.clock.monotonicMs()
    const checked = (): number => world.scrubber.current()?.checkedBytes ?? 0
    await waitFor(
      'two pieces',
      5_000,
      async () => {
        await world.clock.advance(100)
        return checked() >= 2 * PIECE_BYTES
      },
      1,
    )
    // 100 kB a second, and what the bucket lets through at once.
    const allowedBytes = (world.clock.monotonicMs() - startMs) * 100 + 25_000
    expect(checked()).to.be.at.most(allowedBytes)
    expect(await world.scrubber.start(fast).catch(codeOf)).to.equal('VERIFY_RUNNING')
    await world.scrubber.cancel()
    expect(world.scrubber.current()?.state).to.equal('cancelled')
  })

  it('refuses a blob that is not held', async () => {
    await using world = await openWorld(large)
    const request = { ...fast, digests: [small.id.digest] }
    expect(await world.scrubber.start(request).catch(codeOf)).to.equal('BLOB_ABSENT')
  })

  it('gives way to its owner when the node itself began', async () => {
    await using world = await openWorld(large, small)
    const behind = world.scrubber.runBehind([large.id.digest], 1_000, async () => {})
    await world.scrubber.start(fast)
    await behind
    expect(world.scrubber.current()?.isBackground).to.equal(false)
    expect((await world.ended()).doneCount).to.equal(2)
  })
})

describe('the rounds of the scrub', () => {
  it('read every blob once in an interval, and find what is damaged', async () => {
    const samples = Array.from({ length: 12 }, (_, seed) => sampleOf(1_000, seed + 10))
    await using world = await openWorld(...samples)
    const look = createScrubRounds(world, MONTH_MS)
    await look()
    for (const sample of samples) await world.damage(sample, 0)
    for (let day = 0; day < 15; day++) {
      await world.clock.advance(DAY_MS)
      await look()
    }
    expect(world.fetched.length).to.be.within(1, 11)
    for (let day = 0; day < 15; day++) {
      await world.clock.advance(DAY_MS)
      await look()
    }
    expect(world.fetched).to.have.length(12)
  })

  it('begin anew from now when the clock was ahead', async () => {
    await using world = await openWorld(small())
    const look = createScrubRounds(world, MONTH_MS)
    await world.store.setMeta('scrubbedUntilMs', String(world.clock.nowMs() + 400 * DAY_MS))
    await look()
    expect(await world.store.getMeta('scrubbedUntilMs')).to.equal(String(world.clock.nowMs()))
  })

  function small(): Sample {
    return sampleOf(1_000, 3)
  }
})
