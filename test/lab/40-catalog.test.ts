/** The catalog among real nodes: without an origin, over a rotated key, after a withdrawal, and in front of two truths. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { NodeStatus } from '../../src/status.ts'
import { archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { type AppFolders, buildAppFolders } from '../support/images/index.ts'
import { attachLab, type Lab, type LabNode } from '../support/lab/index.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8040
const FORK_PORT = 8041
/** Nobody listens here. */
const SILENT_PORT = 8049
const TIMEOUT_MS = 60_000

describe('40 the catalog on real nodes', function () {
  this.timeout(240_000)
  let lab: Lab
  let folder: TempFolder
  let apps: AppFolders
  let origin: OriginFolder
  let first: LabNode
  let second: LabNode
  const servers = new Set<OriginServer>()

  before(async () => {
    lab = await attachLab()
    folder = await makeTempFolder()
    apps = await buildAppFolders({ mode: 'real' })
    origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
    ;[first, second] = await Promise.all([lab.add('heads1'), lab.add('heads2')])
    for (const node of [first, second]) await giveRoot(node, origin.rootFile)
  })
  after(async () => {
    for (const server of servers) await server.close()
    await folder[Symbol.asyncDispose]()
    await lab.heal()
    for (const node of [first, second]) if ((await node.status()).state !== 'off') await node.off()
  })

  const urlOf = (port: number): string => `http://${lab.ip('origin')}:${port}/`
  async function serve(publicFolder: string, port: number): Promise<AsyncDisposable> {
    const server = await serveOrigin(publicFolder, {
      host: lab.ip('origin'),
      port,
      log: silentLog,
    })
    servers.add(server)
    return {
      async [Symbol.asyncDispose]() {
        servers.delete(server)
        await server.close()
      },
    }
  }
  const release = (verb: string, from: OriginFolder['folder'], ...rest: string[]) =>
    runMain('origin', 'release', verb, from, 'hello-web', ...rest)
  async function behind(bootstrap: LabNode, port: number): Promise<string> {
    const { addresses } = await statusOf(bootstrap)
    const address = addresses.find(text => text.includes(`/${bootstrap.ip}/`))
    const more = `swarm: {bootstrap: [${JSON.stringify(address)}]}`
    return labConfig({ originUrl: urlOf(port), more })
  }
  const untilStatus = (
    node: LabNode,
    what: string,
    test: (status: NodeStatus) => boolean,
  ): Promise<NodeStatus> =>
    waitFor(`${what} on ${node.name}`, TIMEOUT_MS, async () => {
      const status = await statusOf(node)
      return test(status) && status
    })
  const untilCatalog = (node: LabNode, version: number): Promise<NodeStatus> =>
    untilStatus(node, `catalog ${version}`, ({ catalog }) => catalog.timestamp === version)
  /** What the app really says, not what the node says of it. */
  async function untilServed(node: LabNode, version: string): Promise<void> {
    await waitFor(`${version} from the app on ${node.name}`, TIMEOUT_MS, async () => {
      const signal = AbortSignal.timeout(5000)
      // Nobody answers while one version takes the place of the other.
      const page = await fetch(`http://${node.ip}:8080/version`, { signal }).catch(() => undefined)
      return page?.ok === true && (await page.text()).includes(version)
    })
  }

  it('is brought to a node by its neighbour alone, and so is the next one, and the app', async () => {
    await using served = await serve(origin.publicFolder, PORT)
    await runArchy(first, labConfig({ originUrl: urlOf(PORT) }))
    await archy(first, 'app', 'install', 'hello-web')
    const { peerId } = await untilCatalog(first, 2)
    await served[Symbol.asyncDispose]()

    await runArchy(second, await behind(first, SILENT_PORT))
    const { catalog } = await untilCatalog(second, 2)
    expect(catalog).to.include({ freshness: 'fresh', source: peerId })
    expect(catalog.origin.error?.code).to.equal('METADATA_UNREACHABLE')
    await archy(second, 'app', 'install', 'hello-web')
    await untilServed(second, '1.0.0')

    // The origin stays down; the next catalog comes to the neighbour on a disk.
    await origin.publish(apps.folders['hello-web-2'])
    const disk = join(lab.share, 'heads-disk')
    await runMain('origin', 'bundle', 'export', origin.folder, '--out', disk)
    await archy(first, 'bundle', 'import', '/lab/heads-disk')
    const followed = await untilCatalog(second, 3)
    expect(followed.catalog).to.include({ freshness: 'fresh', source: peerId })
    await untilServed(second, '2.0.0')
    const { totals } = (await statusOf(second)).swarm
    expect(totals.origin).to.equal(0)
    expect(totals.peer).to.be.greaterThan(100_000)
  })

  it('is followed by a node that was off while the timestamp key was rotated', async () => {
    await using _served = await serve(origin.publicFolder, PORT)
    await second.off()
    await runMain('origin', 'rotate', origin.folder, 'timestamp', '--unencrypted')
    await untilStatus(first, 'root 2', ({ catalog }) => catalog.root === 2)
    await second.boot()
    const { catalog } = await untilStatus(second, 'root 2', status => status.catalog.root === 2)
    const { timestamp } = (await statusOf(first)).catalog
    const { catalog: newest } = await untilCatalog(second, timestamp ?? 0)
    expect([catalog.root, newest.freshness, newest.flags]).to.deep.equal([2, 'fresh', []])
    await origin.publish()
    await untilCatalog(second, (timestamp ?? 0) + 1)
  })

  it('has a release withdrawn that runs on both nodes: each serves the other one', async () => {
    await using _served = await serve(origin.publicFolder, PORT)
    const nodes = [first, second]
    for (const node of nodes) await untilServed(node, '2.0.0')
    const why = ['--severity', 'critical', '--action', 'replace', '--reason', 'it loses data']
    await release('yank', origin.folder, '2.0.0', ...why)
    await release('rollback-to', origin.folder, '1.0.0')
    await origin.publish()
    for (const node of nodes) await untilServed(node, '1.0.0')
    for (const node of nodes) {
      const view = await untilStatus(node, 'version 1.0.0', ({ apps: [app] }) =>
        Boolean(app?.version === '1.0.0' && app.state === 'running' && app.next === undefined),
      )
      expect(view.apps[0]?.id).to.equal('hello-web')
    }
  })

  it('is proven to be forked when two nodes meet that were shown different heads', async () => {
    const copy = join(folder.path, 'fork')
    await cp(origin.folder, copy, { recursive: true })
    await using _served = await serve(origin.publicFolder, PORT)
    await using _forked = await serve(join(copy, 'public'), FORK_PORT)
    const version = ((await statusOf(first)).catalog.timestamp ?? 0) + 1
    const settings = await behind(first, FORK_PORT)
    await lab.partition(first.name, second.name)
    await runArchy(second, settings)
    await origin.publish()
    await release('floor', copy, '1.0.0')
    await runMain('origin', 'publish', copy)
    const shown = [await untilCatalog(first, version), await untilCatalog(second, version)]
    for (const { catalog } of shown) expect(catalog.flags).to.deep.equal([])
    await lab.heal()
    for (const node of [first, second]) {
      const { catalog } = await untilStatus(node, 'the flag FORK', status =>
        status.catalog.flags.some(({ code }) => code === 'FORK'),
      )
      expect(catalog.timestamp).to.equal(version)
      expect(catalog.allows).to.include({ install: 'no', update: false })
      const forks = '.local/state/archipelago/catalog/forks'
      expect(await node.ok(`cat ${forks}/*.json`)).to.match(/^\{"kind":"same-version".*"files":/)
      await untilServed(node, '1.0.0')
      await archy(node, 'app', 'uninstall', 'hello-web')
      const refused = await archy(node, 'app', 'install', 'hello-web').catch(String)
      expect(refused).to.match(/Ask the publisher.*CATALOG_NOT_CURRENT/s)
    }
  })
})
