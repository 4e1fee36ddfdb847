import { expect } from 'chai'
import { createTurns } from '../../../../swarm/transfer/turns.ts'
import { settle } from '../../../support/manual-clock.ts'

const MIB = 1024 * 1024

describe('turns of fetches', () => {
  const never = new AbortController().signal

  /** Sizes in MiB in the order in which they got their turn; each turn ends when `end` is called. */
  async function start(countMax: number, sizes: readonly number[], signal = never) {
    const turns = createTurns(countMax)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const refused: unknown[] = []
    for (const size of sizes) {
      turns.take(size * MIB, signal).then(
        end => {
          begun.push(size)
          ends.push(end)
        },
        (error: unknown) => refused.push(error),
      )
    }
    await settle()
    return { turns, begun, ends, refused }
  }

  it('lets as many run at once as it may, then the smallest of those that wait', async () => {
    const { begun, ends } = await start(2, [50, 40, 30, 10, 20])
    expect(begun).to.deep.equal([50, 40])
    for (const index of [0, 1, 2]) {
      ends[index]?.()
      await settle()
    }
    expect(begun).to.deep.equal([50, 40, 10, 20, 30])
  })

  it('lets a small one run beside all the large ones', async () => {
    const { begun } = await start(1, [50, 40, 0.5])
    expect(begun).to.deep.equal([50, 0.5])
  })

  it('ends a turn once, however often it is told', async () => {
    const { begun, ends } = await start(1, [50, 40, 30])
    ends[0]?.()
    ends[0]?.()
    await settle()
    expect(begun).to.deep.equal([50, 30])
  })

  it('forgets who gives up waiting', async () => {
    const caller = new AbortController()
    const { begun, ends, refused, turns } = await start(1, [50, 40], caller.signal)
    caller.abort(new Error('enough'))
    await settle()
    expect(refused).to.deep.equal([caller.signal.reason])
    ends[0]?.()
    await turns.take(30 * MIB, never)
    expect(begun).to.deep.equal([50])
  })
})
