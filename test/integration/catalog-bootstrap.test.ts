/** A node that finds its first peer in the catalog: nothing is configured, mDNS is silent on loopback, and nobody else tells it. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { startNode, type TestNode } from '../support/swarm/nodes.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000

describe('the peers that a catalog names', function () {
  this.timeout(120_000)
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let node: NodeProcess
  const peers: TestNode[] = []

  before(async () => {
    folder = await makeTempFolder()
    peers.push(await startNode(), await startNode())
    origin = await runOrigin(join(folder.path, 'origin'))
    server = await serveOrigin(origin.publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
    node = await NodeProcess.make()
    await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
    await node.configure(
      [
        'network: test',
        `origin: {urls: ["${server.url}"]}`,
        'catalog: {refreshInterval: 1s}',
        'swarm: {listen: ["/ip4/127.0.0.1/tcp/0"], bulk: 0}',
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
  })
  after(async () => {
    await node[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    for (const peer of peers) await peer[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const name = async (index: number, ...more: readonly string[]): Promise<void> => {
    const address = peers[index]?.swarm.addresses()[0] ?? expect.fail('it does not listen')
    await runMain('origin', 'bootstrap', origin.folder, '--add', address, ...more)
    await origin.publish()
  }
  const meets = async (index: number): Promise<void> => {
    const found = await waitFor('the peer', TIMEOUT_MS, async () => {
      const { peers: all } = (await node.status()).swarm
      return all.find(({ peerId }) => peerId === peers[index]?.swarm.peerId)
    })
    expect(found.found).to.equal('catalog')
  }

  it('are met as soon as the catalog is there, and a newer list while the node runs', async () => {
    await name(0)
    await meets(0)
    expect((await node.run(['status'])).stdout).to.contain('named by the catalog')
    await name(1, '--remove', peers[0]?.swarm.addresses()[0] ?? '')
    await meets(1)
  })

  it('are met again after a restart from the stored catalog, with the origin away', async () => {
    await node.end('SIGKILL')
    await server[Symbol.asyncDispose]()
    await node.start()
    await meets(1)
  })
})
