/** Nodes as mirrors of the catalog for each other: real processes on loopback, an origin that is gone, forked or old. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 40_000

describe('nodes that relay the catalog', function () {
  this.timeout(120_000)
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let second: string
  const nodes: NodeProcess[] = []
  const servers: OriginServer[] = []

  beforeEach(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    second = folders['hello-web-2']
    folder = await makeTempFolder()
    origin = await runOrigin(join(folder.path, 'origin'), folders['hello-web'])
    server = await serve(origin)
  })
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]()
    await server.close()
    for (const other of servers.splice(0)) await other.close()
    await folder[Symbol.asyncDispose]()
  })

  function serve({ publicFolder }: Pick<OriginFolder, 'publicFolder'>): Promise<OriginServer> {
    return serveOrigin(publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
  }
  async function startNode(originUrl: string, ...others: readonly NodeProcess[]) {
    return await startNodeThatAsks('2s', originUrl, ...others)
  }
  async function startNodeThatAsks(
    refreshInterval: string,
    originUrl: string,
    ...others: readonly NodeProcess[]
  ) {
    const node = await NodeProcess.make()
    nodes.push(node)
    await cp(origin.rootFile, join(node.folder, 'config/archipelago/root.json'))
    const bootstrap = await Promise.all(
      others.map(async other => (await other.status()).addresses[0]),
    )
    await node.configure(
      [
        'network: relay',
        `origin: {urls: [${JSON.stringify(originUrl)}]}`,
        `catalog: {refreshInterval: ${refreshInterval}}`,
        `swarm: {listen: [/ip4/127.0.0.1/tcp/0], bootstrap: ${JSON.stringify(bootstrap)}}`,
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
    return node
  }
  const untilVersion = (node: NodeProcess, version: number) =>
    waitFor(`catalog ${version}`, TIMEOUT_MS, async () => {
      const { catalog } = await node.status()
      return catalog.timestamp === version ? catalog : undefined
    })
  const untilFlag = (node: NodeProcess, code: string) =>
    waitFor(`the flag ${code}`, TIMEOUT_MS, async () =>
      (await node.status()).catalog.flags.find(flag => flag.code === code),
    )
  /** A port where nobody listens. */
  const NOWHERE = 'http://127.0.0.1:9/'

  it('brings a new node, and every later catalog, from one neighbour alone', async () => {
    const first = await startNode(server.url)
    await untilVersion(first, 2)
    // It would ask again after the test has failed: what it learns it is told.
    const alone = await startNodeThatAsks('1h', NOWHERE, first)
    const { freshness, origin: silent, source } = await untilVersion(alone, 2)
    expect(freshness).to.equal('fresh')
    expect(silent.error?.code).to.equal('METADATA_UNREACHABLE')
    expect(source).to.equal((await first.status()).peerId)
    await origin.publish(second)
    await untilVersion(alone, 3)
    expect((await alone.run(['app', 'catalog'])).stdout).to.include('2.0.0')
    expect((await alone.run(['status'])).stdout).to.include('the origin gives none for')
  })

  it('proves a fork when two nodes meet that were shown different heads, and tells a third', async () => {
    const copy = join(folder.path, 'fork')
    await cp(origin.folder, copy, { recursive: true })
    const left = await startNode(server.url)
    const forked = await serve({ publicFolder: join(copy, 'public') })
    servers.push(forked)
    await origin.publish(second)
    await runMain('origin', 'publish', copy)
    const right = await startNode(forked.url)
    await untilVersion(left, 3)
    await untilVersion(right, 3)
    expect((await left.status()).catalog.flags).to.be.empty
    const between = await startNode(NOWHERE, left, right)
    for (const node of [left, right, between]) await untilFlag(node, 'FORK')
    for (const node of [left, right]) {
      const { allows, timestamp } = (await node.status()).catalog
      expect(allows).to.include({ install: 'no', update: false })
      expect(timestamp).to.equal(3)
    }
    const refused = await right.run(['app', 'install', 'hello-web'])
    expect(refused.code).to.equal(1)
    expect(refused.stderr).to.match(/Ask the publisher.*CATALOG_NOT_CURRENT/s)
  })
})
