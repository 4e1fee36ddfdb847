/** The rate limit on a virtual clock: how exact it is, what it owes, and what a new rate does. */
import { expect } from 'chai'
import { createTokenBucket } from '../../../swarm/token-bucket.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

/** Bytes that pass in `forMs` when `takers` take `bytes` again and again. */
async function passedIn(
  forMs: number,
  settings: { rate: number; bytes: number; takers?: number; lateMs?: number },
): Promise<number> {
  const clock = createVirtualClock({ lateMs: settings.lateMs ?? 0 })
  const bucket = createTokenBucket(clock, settings.rate)
  const stop = new AbortController()
  let passed = 0
  const take = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await bucket.take(settings.bytes, stop.signal)
      passed += settings.bytes
    }
  }
  const takers = Array.from({ length: settings.takers ?? 1 }, () => take().catch(() => {}))
  await clock.runUntil(forMs)
  stop.abort(new Error('enough'))
  await Promise.all(takers)
  return passed
}

describe('token bucket', () => {
  for (const [rate, bytes] of [
    [100_000, 4096],
    [1_000_000, 32_768],
    [10_000_000, 65_536],
    [100_000_000, 262_144],
  ] as const) {
    it(`passes ${rate} bytes a second within 2 %`, async () => {
      const passed = await passedIn(5_000, { rate, bytes })
      expect(passed / (5 * rate)).to.be.within(0.98, 1.02)
    })
  }

  it('reaches its rate with timers that are late, as on a busy machine', async () => {
    const rate = 112 * 1024 * 1024
    const passed = await passedIn(5_000, { rate, bytes: 65_536, takers: 4, lateMs: 40 })
    expect(passed / (5 * rate)).to.be.within(0.98, 1.03)
  })

  it('owes what was overdrawn, and pays it at a new rate', async () => {
    const clock = createManualClock()
    const bucket = createTokenBucket(clock, 1000, 0)
    expect(bucket.debit(10_000)).to.equal(10_000)
    bucket.setRate(10_000)
    expect(bucket.debit(0)).to.equal(1_000)
    bucket.setRate(undefined)
    expect(bucket.debit(1_000_000)).to.equal(0)
    bucket.setRate(1000)
    expect(bucket.debit(1000)).to.equal(1000)
  })

  it('lets who waits go on soon after the limit is lifted', async () => {
    const clock = createManualClock()
    const bucket = createTokenBucket(clock, 1)
    let isPaid = false
    const taking = bucket.take(1_000_000).then(() => {
      isPaid = true
    })
    await clock.advance(500)
    expect(isPaid).to.equal(false)
    bucket.setRate(undefined)
    await clock.advance(500)
    await taking
  })

  it('rejects with the reason of the signal', async () => {
    const stop = new AbortController()
    const taking = createTokenBucket(createManualClock(), 1).take(1000, stop.signal)
    stop.abort(new Error('enough'))
    expect(await taking.catch((error: unknown) => error)).to.have.property('message', 'enough')
  })
})
