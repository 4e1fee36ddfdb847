/** Sockets that say nothing and streams that say too much: a real node on loopback, and hosts that keep to no rule. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import type { Libp2p } from 'libp2p'
import { HANDSHAKES_PER_NETWORK_MAX } from '../../swarm/discovery/limits.ts'
import type { BuiltNode } from '../../swarm/libp2p/node.ts'
import { startNode, until } from '../support/swarm/nodes.ts'
import { LAN_KAD, startStranger, startSubject } from '../support/swarm/stranger.ts'

const MIB = 1024 * 1024
/** Below the rate at which sockets of one address are refused. */
const IDLE_PER_ADDRESS = 18
const ATTACKERS = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']

describe('a node that is flooded', function () {
  this.timeout(60_000)
  let subject: BuiltNode
  let port: number
  const sockets: Socket[] = []
  const bombers: ChildProcess[] = []
  const strangers: Libp2p[] = []

  beforeEach(async () => {
    subject = await startSubject()
    const [address] = subject.node.getMultiaddrs()
    port = Number(/\/tcp\/(\d+)/.exec(String(address))?.[1])
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const bomber of bombers.splice(0)) bomber.kill('SIGKILL')
    for (const stranger of strangers.splice(0)) await stranger.stop()
    await subject.node.stop()
  })

  async function idle(localAddress: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    sockets.push(socket)
    socket.on('error', () => {
      /* It was made to make room. */
    })
    await once(socket, 'connect')
    return socket
  }
  /** How many of ten honest dials reach the node. */
  async function honestDials(from: string): Promise<number> {
    let count = 0
    for (let left = 10; left > 0; left -= 1) {
      const stranger = await startStranger({ from })
      strangers.push(stranger)
      const signal = AbortSignal.timeout(2_000)
      await stranger.dial(subject.node.getMultiaddrs(), { signal }).then(
        () => {
          count += 1
        },
        () => {
          /* Counted by its absence. */
        },
      )
    }
    return count
  }

  it('is reached by everybody while 90 sockets are open that never say a word', async () => {
    const startedMs = performance.now()
    for (const address of ATTACKERS) {
      for (let left = IDLE_PER_ADDRESS; left > 0; left -= 1) await idle(address)
    }
    await until('the next second', () => performance.now() - startedMs > 1_000)
    expect(await honestDials('127.0.0.1')).to.be.at.least(9)
  })

  it('is reached also from the address of those sockets: the oldest of them makes room', async () => {
    const startedMs = performance.now()
    const made: Socket[] = []
    for (let left = IDLE_PER_ADDRESS; left > 0; left -= 1) made.push(await idle('127.0.0.2'))
    await until('the first ones are gone', () => made.filter(each => each.closed).length >= 2)
    expect(made.filter(each => !each.closed)).to.have.length(HANDSHAKES_PER_NETWORK_MAX)
    await until('the next second', () => performance.now() - startedMs > 1_000)
    expect(await honestDials('127.0.0.2')).to.be.at.least(9)
  })

  it('holds little for a peer that opens all the streams it can and fills them', async () => {
    const [address] = subject.node.getMultiaddrs()
    const rss = watchRss()
    const { streams, sentBytes } = await bomb(String(address), LAN_KAD, 400)
    expect(streams).to.be.greaterThan(0)
    expect(sentBytes).to.be.greaterThan(0)
    expect(rss.stop()).to.be.lessThan(100 * MIB)
    expect(await honestDials('127.0.0.1')).to.be.at.least(9)
  })

  it('holds little for a peer that sends on and on while its download limit keeps it from reading', async () => {
    await using node = await startNode({ limits: { downloadBytesPerSecond: 1024 } })
    const rss = watchRss()
    const [address = ''] = node.swarm.addresses()
    const { streams, sentBytes } = await bomb(address, '/archipelago/test/blobs/1', 2)
    expect([streams > 0, sentBytes > 64 * 1024]).to.deep.equal([true, true])
    expect(rss.stop()).to.be.lessThan(100 * MIB)
  })

  async function bomb(
    ...args: [address: string, protocol: string, streamCount: number]
  ): Promise<{ streams: number; sentBytes: number }> {
    const child = spawn(process.execPath, [
      'test/support/swarm/stream-bomber.ts',
      ...args.map(String),
    ])
    bombers.push(child)
    for await (const line of createInterface(child.stdout)) {
      return JSON.parse(line) as { streams: number; sentBytes: number }
    }
    throw new Error('the bomber ended without a word')
  }
})

/** `stop` tells by how much the memory of this process grew at most. */
function watchRss(): { stop(): number } {
  const beforeBytes = process.memoryUsage.rss()
  let mostBytes = beforeBytes
  const timer = setInterval(() => {
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss())
  }, 20)
  return {
    stop() {
      clearInterval(timer)
      return mostBytes - beforeBytes
    },
  }
}
