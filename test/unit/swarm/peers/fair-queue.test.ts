/** Who may queue bytes next: the order, the bounds, and that nobody waits for ever. */
import { expect } from 'chai'
import { createFairQueue } from '../../../../swarm/peers/fair-queue.ts'
import { settle } from '../../../support/manual-clock.ts'

const never = new AbortController().signal

describe('fair queue', () => {
  it('serves the peer with the fewest bytes on their way', async () => {
    const queue = createFairQueue({ perPeerBytes: 100, totalBytes: 100 })
    const order: string[] = []
    const ask = (peerId: string, bytes: number): Promise<void> =>
      queue.acquire(peerId, bytes, never).then(() => void order.push(peerId))
    await ask('greedy', 60)
    await ask('other', 40)
    const more = [ask('greedy', 20), ask('new', 20)]
    queue.release('other', 40)
    await Promise.all(more)
    expect(order).to.deep.equal(['greedy', 'other', 'new', 'greedy'])
  })

  it('gives equals their turns one after the other', async () => {
    const queue = createFairQueue({ perPeerBytes: 10, totalBytes: 10 })
    const order: string[] = []
    const ask = (peerId: string): Promise<void> =>
      queue.acquire(peerId, 10, never).then(() => {
        order.push(peerId)
        queue.release(peerId, 10)
      })
    await Promise.all(['a', 'a', 'a', 'b', 'c', 'b'].map(ask))
    expect(order).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'a'])
  })

  it('lets one chunk of any size pass to a peer that has nothing', async () => {
    const queue = createFairQueue({ perPeerBytes: 10, totalBytes: 20 })
    await queue.acquire('a', 1000, never)
    expect(queue.heldBytes).to.equal(1000)
  })

  it('lets nobody overtake for ever a peer that asks for much', async () => {
    const queue = createFairQueue({ perPeerBytes: 100, totalBytes: 100 })
    await queue.acquire('small', 10, never)
    let isServed = false
    const large = queue.acquire('large', 95, never).then(() => {
      isServed = true
    })
    const others = ['b', 'c', 'd'].map(peerId => queue.acquire(peerId, 5, never))
    await settle()
    expect(isServed).to.equal(false)
    queue.release('small', 10)
    await large
    await others[0]
  })

  it('forgets who gave up, and goes on with the next', async () => {
    const queue = createFairQueue({ perPeerBytes: 10, totalBytes: 10 })
    await queue.acquire('a', 10, never)
    const giveUp = new AbortController()
    const first = queue.acquire('b', 10, giveUp.signal).catch(() => 'gave up')
    const second = queue.acquire('c', 10, never)
    giveUp.abort(new Error('enough'))
    expect(await first).to.equal('gave up')
    queue.release('a', 10)
    await second
    queue.release('c', 10)
    expect(queue.heldBytes).to.equal(0)
  })
})
