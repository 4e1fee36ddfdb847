/** Checks the order of safety: data before bitfield, batches of a bounded size, and what a failure loses. */
import { expect } from 'chai'
import { silentLog } from '../../../../src/core/log.ts'
import { createPieceSet, type PieceSet } from '../../../../swarm/store/bitfield.ts'
import { SYNC_BYTES_MAX, SYNC_INTERVAL_MS } from '../../../../swarm/store/limits.ts'
import { createSyncBatch } from '../../../../swarm/store/sync-batch.ts'
import { createManualClock } from '../../../support/manual-clock.ts'

const PIECE_BYTES = SYNC_BYTES_MAX / 4

/** A batch over a disk whose syncs end when the test says so. */
function createDisk() {
  const clock = createManualClock()
  const events: string[] = []
  const lost: number[] = []
  const syncs: PromiseWithResolvers<void>[] = []
  let saveError: Error | undefined
  const batch = createSyncBatch(
    {
      clock,
      log: silentLog,
      syncData() {
        const sync = Promise.withResolvers<void>()
        syncs.push(sync)
        events.push('sync')
        return sync.promise
      },
      async saveSafe(pieces: PieceSet) {
        if (saveError !== undefined) throw saveError
        const held = [...Array(pieces.pieceCount).keys()].filter(index => pieces.has(index))
        events.push(`save ${held.join(' ')}`)
      },
      onLost: indexes => lost.push(...indexes),
    },
    createPieceSet(100),
  )
  return {
    clock,
    events,
    lost,
    syncs,
    batch,
    failSavesWith(error: Error | undefined) {
      saveError = error
    },
  }
}

/** Lets everything run that does not wait for the disk or the clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('sync batch', () => {
  it('saves a piece only after a sync that began after it was written', async () => {
    const { batch, events, syncs } = createDisk()
    await batch.makeRoom(20)
    batch.add(1, 10)
    const first = batch.sync()
    await settle()
    batch.add(2, 10)
    syncs[0]?.resolve()
    await first
    expect(events).to.deep.equal(['sync', 'save 1'])
    const second = batch.sync()
    await settle()
    syncs[1]?.resolve()
    await second
    expect(events).to.deep.equal(['sync', 'save 1', 'sync', 'save 1 2'])
  })

  it('waits for the sync that somebody else began while it waited for the one before', async () => {
    const { batch, events, syncs } = createDisk()
    batch.add(1, 10)
    const first = batch.sync()
    await settle()
    batch.add(2, 10)
    const others = batch.sync()
    const mine = batch.sync().then(() => events.push('mine'))
    syncs[0]?.resolve()
    await first
    await settle()
    syncs[1]?.resolve()
    await Promise.all([others, mine])
    expect(events).to.deep.equal(['sync', 'save 1', 'sync', 'save 1 2', 'mine'])
  })

  it('makes a piece safe by itself when the interval has passed', async () => {
    const { batch, clock, events, syncs } = createDisk()
    batch.add(1, 10)
    await clock.advance(SYNC_INTERVAL_MS - 1)
    await settle()
    expect(events).to.deep.equal([])
    await clock.advance(1)
    await settle()
    syncs[0]?.resolve()
    await settle()
    expect(batch.safe.has(1)).to.equal(true)
  })

  it('never lets more than SYNC_BYTES_MAX be unsafe, and syncs while there is room left', async () => {
    const { batch, events, syncs } = createDisk()
    for (const index of [0, 1, 2, 3]) {
      await batch.makeRoom(PIECE_BYTES)
      batch.add(index, PIECE_BYTES)
    }
    await settle()
    expect(events).to.deep.equal(['sync'])
    let hasRoom = false
    const room = batch.makeRoom(PIECE_BYTES).then(() => {
      hasRoom = true
    })
    await settle()
    expect(hasRoom).to.equal(false)
    syncs[0]?.resolve()
    await settle()
    syncs[1]?.resolve()
    await room
    expect(events).to.deep.equal(['sync', 'save 0 1', 'sync', 'save 0 1 2 3'])
  })

  it('counts what is being written as unsafe, and goes on when it is written or is not', async () => {
    const { batch, events, syncs } = createDisk()
    const entered: number[] = []
    const enter = (turn: number) =>
      batch.makeRoom(2 * PIECE_BYTES).then(() => {
        entered.push(turn)
      })
    await Promise.all([enter(1), enter(2)])
    const [third, fourth] = [enter(3), enter(4)]
    await settle()
    expect(entered).to.deep.equal([1, 2])
    batch.giveRoom(2 * PIECE_BYTES)
    await third
    batch.add(1, 2 * PIECE_BYTES)
    await settle()
    expect(events).to.deep.equal(['sync'])
    syncs[0]?.resolve()
    await fourth
    expect(entered).to.deep.equal([1, 2, 3, 4])
  })

  it('refuses room, also to those who wait for it, when the data could not be synced', async () => {
    const { batch, syncs } = createDisk()
    await batch.makeRoom(SYNC_BYTES_MAX)
    const waiting = [batch.makeRoom(1), batch.makeRoom(1)]
    batch.add(1, SYNC_BYTES_MAX)
    await settle()
    syncs[0]?.reject(new Error('bad disk'))
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
  })

  it('gives up all unsafe pieces when the data could not be synced, and refuses more', async () => {
    const { batch, lost, syncs } = createDisk()
    batch.add(1, 10)
    const sync = batch.sync()
    await settle()
    batch.add(2, 10)
    syncs[0]?.reject(new Error('bad disk'))
    expect((await Promise.allSettled([sync]))[0]?.status).to.equal('rejected')
    expect(lost).to.deep.equal([1, 2])
    batch.add(3, 10)
    expect(lost).to.deep.equal([1, 2, 3])
    const problems = await Promise.allSettled([batch.sync(), batch.makeRoom(1)])
    expect(problems.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    expect(batch.safe.heldCount).to.equal(0)
  })

  it('loses nothing when only the bitfield could not be saved, and tries again', async () => {
    const { batch, events, lost, syncs, failSavesWith } = createDisk()
    failSavesWith(new Error('no space'))
    batch.add(1, 10)
    const failing = batch.sync()
    await settle()
    syncs[0]?.resolve()
    expect((await Promise.allSettled([failing]))[0]?.status).to.equal('rejected')
    failSavesWith(undefined)
    const again = batch.sync()
    await settle()
    syncs[1]?.resolve()
    await again
    expect(lost).to.deep.equal([])
    expect(events.at(-1)).to.equal('save 1')
  })

  it('syncs what is left when it is closed, and leaves no timer', async () => {
    const { batch, clock, events, syncs } = createDisk()
    batch.add(1, 10)
    const closed = batch[Symbol.asyncDispose]()
    await settle()
    syncs[0]?.resolve()
    await closed
    expect(events).to.deep.equal(['sync', 'save 1'])
    expect(clock.sleeperCount).to.equal(0)
  })
})
