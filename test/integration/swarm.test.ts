/** Fetches blobs between real libp2p nodes and a real HTTP origin on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { type Digest, digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'
import { lyingStore } from '../support/swarm/liar.ts'
import { startNode, type TestNode, until, untilPeers } from '../support/swarm/nodes.ts'
import { startOrigin } from '../support/swarm/origin-server.ts'

const MIB = 1024 * 1024
const release = digestOf(Buffer.from('release'))

async function expectBlob(node: TestNode, digest: Digest, bytes: Uint8Array): Promise<void> {
  const blob = await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
  expect(Buffer.compare(await readFile(blob.path), bytes)).to.equal(0)
}

function refusals(node: TestNode): readonly unknown[] {
  return node.lines.filter(line => line.message === 'piece refused').map(line => line.fields)
}

describe('swarm', () => {
  it('gets a blob from the origin alone', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(5 * MIB + 123, 1)
    const digest = origin.add(bytes)
    await using node = await startNode({ origins: [origin.url] })
    await expectBlob(node, digest, bytes)
    expect(node.swarm.status().totals).to.deep.equal({ peer: 0, origin: bytes.byteLength })
  })

  it('gets a blob of one piece and an empty one', async () => {
    await using origin = await startOrigin()
    await using node = await startNode({ origins: [origin.url] })
    for (const bytes of [bytesOf(1000, 2), new Uint8Array(0)]) {
      await expectBlob(node, origin.add(bytes), bytes)
    }
  })

  it('gets a blob from a peer alone when the origin has no blobs', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(5 * MIB + 123, 3)
    const digest = origin.add(bytes)
    origin.isEmpty = true
    await using seed = await startNode()
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    await expectBlob(node, digest, bytes)
    expect(node.swarm.status().totals).to.deep.equal({ peer: bytes.byteLength, origin: 0 })
  })

  it('gets a blob from a peer when the origin is down', async () => {
    const bytes = bytesOf(3 * MIB, 4)
    await using seed = await startNode()
    await using origin = await startOrigin()
    const digest = origin.add(bytes)
    await origin[Symbol.asyncDispose]()
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    await expectBlob(node, digest, bytes)
  })

  it('lets the origin finish what a slow peer cannot', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(8 * MIB, 5)
    const digest = origin.add(bytes)
    origin.delayMs = 50
    await using seed = await startNode({ limits: { uploadBytesPerSecond: 256 * 1024 } })
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    await expectBlob(node, digest, bytes)
    const { totals } = node.swarm.status()
    expect(totals.peer).to.be.greaterThan(0)
    expect(totals.origin).to.be.greaterThan(bytes.byteLength / 2)
    expect(totals.peer + totals.origin).to.equal(bytes.byteLength)
  })

  it('refuses a liar, names it, and keeps it out across a restart', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(5 * MIB, 6)
    const digest = origin.add(bytes)
    await using liar = await startNode({ wrapStore: lyingStore })
    await liar.hold(digest, bytes)
    const folder = await mkdtemp(join(tmpdir(), 'archy-swarm-'))
    const settings = { origins: [origin.url], bootstrap: liar.swarm.addresses(), folder }
    {
      await using node = await startNode({ ...settings, keepFolder: true })
      await untilPeers(node, 1)
      await expectBlob(node, digest, bytes)
      expect(node.swarm.status().totals).to.deep.equal({ peer: 0, origin: bytes.byteLength })
      expect(refusals(node)).to.have.length(1)
      expect(refusals(node)[0]).to.include({ digest, source: 'peer', peer: liar.swarm.peerId })
    }
    await using again = await startNode(settings)
    expect(again.swarm.status().bans.map(ban => ban.peerId)).to.deep.equal([liar.swarm.peerId])
    expect(again.swarm.status().totals.origin).to.equal(bytes.byteLength)
    expect(again.swarm.status().peers).to.deep.equal([])
  })

  it('names an origin that lies and takes the bytes from another', async () => {
    await using liar = await startOrigin()
    await using honest = await startOrigin()
    const bytes = bytesOf(2 * MIB, 7)
    const digest = liar.add(bytes)
    honest.add(bytes)
    liar.lie = true
    await using node = await startNode({ origins: [liar.url, honest.url] })
    await expectBlob(node, digest, bytes)
    expect(refusals(node)[0]).to.include({ digest, source: 'origin', url: liar.url })
  })

  it('uses several peers for one blob', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(12 * MIB, 8)
    const digest = origin.add(bytes)
    const limits = { uploadBytesPerSecond: 4 * MIB }
    await using first = await startNode({ limits })
    await using second = await startNode({ limits })
    await first.hold(digest, bytes)
    await second.hold(digest, bytes)
    await using node = await startNode({
      bootstrap: [...first.swarm.addresses(), ...second.swarm.addresses()],
    })
    await untilPeers(node, 2)
    await expectBlob(node, digest, bytes)
    const shares = node.swarm.status().peers.map(peer => peer.receivedBytes)
    expect(Math.min(...shares)).to.be.greaterThan(bytes.byteLength / 4)
  })

  it('fetches of a changed blob only what the old one here does not have', async () => {
    const old = bytesOf(16 * MIB, 41)
    const next = Buffer.concat([old.subarray(0, 3 * MIB), bytesOf(700, 42), old.subarray(3 * MIB)])
    const [oldDigest, digest] = [digestOf(old), digestOf(next)]
    await using seed = await startNode()
    await seed.hold(digest, next)
    await using node = await startNode({ bootstrap: seed.swarm.addresses() })
    await node.hold(oldDigest, old)
    await untilPeers(node, 1)
    const similar = [oldDigest]
    const blob = await node.swarm.fetch({ digest, sizeBytes: next.length }, { release, similar })
    expect(Buffer.compare(await readFile(blob.path), next)).to.equal(0)
    expect(node.swarm.status().totals.peer).to.be.at.most(2 * 256 * 1024)
  })

  it('fetches from a peer that is itself still fetching', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(4 * MIB, 9)
    const digest = origin.add(bytes)
    origin.delayMs = 30
    await using middle = await startNode({ origins: [origin.url] })
    await using node = await startNode({ bootstrap: middle.swarm.addresses() })
    await untilPeers(node, 1)
    await Promise.all([expectBlob(middle, digest, bytes), expectBlob(node, digest, bytes)])
    expect(node.swarm.status().totals.peer).to.equal(bytes.byteLength)
  })

  it('goes on with the origin when its peer vanishes', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(8 * MIB, 10)
    const digest = origin.add(bytes)
    const seed = await startNode({ limits: { uploadBytesPerSecond: 3 * MIB } })
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    const fetching = expectBlob(node, digest, bytes)
    await until('some bytes came', () => node.swarm.status().totals.peer > 0)
    await seed[Symbol.asyncDispose]()
    await fetching
    expect(node.swarm.status().totals.origin).to.be.greaterThan(0)
  })

  it('serves only what it may', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(MIB, 11)
    const digest = origin.add(bytes)
    await using seed = await startNode({ mayServe: () => false })
    await seed.hold(digest, bytes)
    await using node = await startNode({
      origins: [origin.url],
      bootstrap: seed.swarm.addresses(),
    })
    await untilPeers(node, 1)
    await expectBlob(node, digest, bytes)
    expect(node.swarm.status().totals.peer).to.equal(0)
  })

  it('does not talk to another network', async () => {
    await using other = await startNode({ networkName: 'other' })
    await using seed = await startNode()
    await using node = await startNode({
      bootstrap: [...other.swarm.addresses(), ...seed.swarm.addresses()],
    })
    await until('it refused', () =>
      node.lines.some(line => line.message === 'peer does not speak our protocol'),
    )
    await untilPeers(node, 1)
    expect(node.swarm.status().peers.map(peer => peer.peerId)).to.deep.equal([seed.swarm.peerId])
  })

  it('meets a holder through a common bootstrap peer', async () => {
    const bytes = bytesOf(MIB, 12)
    await using origin = await startOrigin()
    const digest = origin.add(bytes)
    await using hub = await startNode()
    const bootstrap = hub.swarm.addresses()
    await using seed = await startNode({ bootstrap })
    await seed.hold(digest, bytes)
    await untilPeers(seed, 1)
    await using node = await startNode({ bootstrap })
    await untilPeers(node, 1)
    await expectBlob(node, digest, bytes)
    expect(node.swarm.status().totals.peer).to.equal(bytes.byteLength)
  })

  it('waits for a blob that nobody has until the caller gives up', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(MIB, 13)
    const digest = origin.add(bytes)
    origin.isEmpty = true
    await using node = await startNode({ origins: [origin.url] })
    const caller = new AbortController()
    const id = { digest, sizeBytes: bytes.byteLength }
    const fetching = node.swarm.fetch(id, { release, signal: caller.signal })
    await until('the status names it', () =>
      node.swarm.status().transfers.some(transfer => transfer.withoutSourceCount > 0),
    )
    caller.abort(new Error('enough'))
    const outcome = await fetching.catch((error: unknown) => error)
    expect(outcome).to.have.property('message', 'enough')
    await until('it ended', () => node.swarm.status().transfers.length === 0)
    origin.isEmpty = false
    await expectBlob(node, digest, bytes)
  })

  it('joins two callers, and one of them may give up', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(2 * MIB, 14)
    const digest = origin.add(bytes)
    origin.delayMs = 10
    await using node = await startNode({ origins: [origin.url] })
    const caller = new AbortController()
    const id = { digest, sizeBytes: bytes.byteLength }
    const first = node.swarm.fetch(id, { release, signal: caller.signal })
    const second = expectBlob(node, digest, bytes)
    await until('bytes came', () => origin.sentBytes > 0)
    caller.abort(new Error('enough'))
    expect(await first.catch((error: unknown) => error)).to.have.property('message', 'enough')
    await second
    expect(origin.sentBytes).to.equal(bytes.byteLength)
  })

  it('keeps its upload limit', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(3 * MIB, 15)
    const digest = origin.add(bytes)
    await using seed = await startNode({ limits: { uploadBytesPerSecond: MIB } })
    await seed.hold(digest, bytes)
    await using node = await startNode({ bootstrap: seed.swarm.addresses() })
    await untilPeers(node, 1)
    const startedMs = performance.now()
    await expectBlob(node, digest, bytes)
    expect(performance.now() - startedMs).to.be.greaterThan(2_300)
  })

  it('continues after kill -9 where it was', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(24 * MIB, 16)
    const digest = origin.add(bytes)
    origin.delayMs = 20
    const folder = await mkdtemp(join(tmpdir(), 'archy-swarm-'))
    const child = spawn(process.execPath, [
      'test/support/swarm/fetcher.ts',
      ...['--folder', folder, '--origin', origin.url],
      ...['--digest', digest, '--size', String(bytes.byteLength)],
    ])
    await untilHeld(child, 18 * MIB)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const beforeBytes = origin.sentBytes
    origin.delayMs = 0
    await using node = await startNode({ origins: [origin.url], folder })
    await expectBlob(node, digest, bytes)
    const started = node.lines.find(line => line.message === 'fetch started')
    const keptPieces = Number(started?.fields.heldPieces)
    const missingBytes = bytes.byteLength - keptPieces * 256 * 1024
    /* The origin notices the killed client only after a few chunks more. */
    expect(origin.sentBytes - beforeBytes).to.be.within(missingBytes, missingBytes + MIB)
    expect(keptPieces * 256 * 1024).to.be.greaterThan(4 * MIB)
  })

  it('moves 768 MiB between processes with bounded memory', async () => {
    await using origin = await startOrigin()
    const bytes = bytesOf(768 * MIB, 17)
    const digest = origin.add(bytes)
    await using seed = await startNode()
    await seed.hold(digest, bytes)
    const folder = await mkdtemp(join(tmpdir(), 'archy-swarm-'))
    const child = spawn(process.execPath, [
      'test/support/swarm/fetcher.ts',
      ...['--folder', folder, '--bootstrap', seed.swarm.addresses()[0] ?? ''],
      ...['--digest', digest, '--size', String(bytes.byteLength)],
    ])
    const last = await lastLine(child)
    await rm(folder, { recursive: true, force: true })
    expect(last).to.include({ done: true, peer: bytes.byteLength })
    expect(last.rssMaxBytes).to.be.greaterThan(0)
    expect(last.rssMaxBytes).to.be.lessThan(400 * MIB)
  }).timeout(180_000)
})

type Line = Record<string, unknown>

async function* linesOf(child: ChildProcess): AsyncIterable<Line> {
  if (child.stdout === null) return
  for await (const text of createInterface(child.stdout)) yield JSON.parse(text) as Line
}

async function untilHeld(child: ChildProcess, heldBytes: number): Promise<void> {
  for await (const line of linesOf(child)) if (Number(line.heldBytes) >= heldBytes) return
  throw new Error('the fetcher ended too soon')
}

async function lastLine(child: ChildProcess): Promise<Line> {
  let last: Line = {}
  for await (const line of linesOf(child)) last = line
  return last
}
