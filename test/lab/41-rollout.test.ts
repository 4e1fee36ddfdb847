/** A staged release among ten nodes: who gets it is decided by the private seed of each, and nobody else. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { findDraftApp, readReleases } from '../../catalog/publish/index.ts'
import { bucketOf } from '../../catalog/rollout.ts'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab } from '../support/lab/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const NODE_COUNT = 10
const PERCENT = 50
const TIMEOUT_MS = 60_000

describe('41 a staged release among ten nodes', function () {
  this.timeout(180_000)

  it('reaches those whose seeds say so at 50 %, and all at 100 %', async () => {
    const lab = await attachLab()
    await using folder = await makeTempFolder()
    await using nodes = new AsyncDisposableStack()
    const { folders } = await buildAppFolders({ mode: 'stub' })
    const origin = await runOrigin(join(folder.path, 'origin'), folders['hello-web'])
    await using server = await serveOrigin(origin.publicFolder, {
      host: lab.ip('origin'),
      port: 0,
      log: silentLog,
    })
    const all: NodeProcess[] = []
    for (let count = 0; count < NODE_COUNT; count++) {
      all.push(nodes.use(await startNode(origin.rootFile, server.url)))
    }
    await Promise.all(all.map(node => untilVersion(node, '1.0.0')))

    const chosen = await stage(origin, folders['hello-web-2'], all)
    await origin.publish()
    for (const node of all) await untilCatalog(node, 3)
    for (const node of chosen) await untilVersion(node, '2.0.0')
    for (const node of all.filter(other => !chosen.has(other))) {
      const { stdout } = await node.run(['app', 'explain', 'hello-web'])
      expect(stdout).to.include('its rollout has not reached this node')
      const view = await node.app('hello-web')
      expect([view?.version, view?.next]).to.deep.equal(['1.0.0', undefined])
    }

    const more = ['step', origin.folder, 'hello-web', '--percent', '100']
    await runMain('origin', 'release', ...more)
    await origin.publish()
    for (const node of all) await untilVersion(node, '2.0.0')
  })
})

async function startNode(rootFile: string, originUrl: string): Promise<NodeProcess> {
  const node = await NodeProcess.make()
  await cp(rootFile, join(node.folder, 'config/archipelago/root.json'))
  await node.configure(
    [
      'network: rollout',
      `origin: {urls: [${JSON.stringify(originUrl)}]}`,
      'apps: {hello-web: {channel: stable}}',
      'catalog: {refreshInterval: 2s}',
      'swarm: {listen: [/ip4/127.0.0.1/tcp/0]}',
      'storage: {minimumFree: 1MiB}',
      'orchestrator: {mode: render}',
      '',
    ].join('\n'),
  )
  await node.start()
  return node
}

function untilVersion(node: NodeProcess, version: string): Promise<AppView> {
  return waitFor(`${version} on ${node.folder}`, TIMEOUT_MS, async () => {
    const view = await node.app('hello-web')
    return view?.version === version && view.next === undefined ? view : undefined
  })
}

function untilCatalog(node: NodeProcess, version: number): Promise<boolean> {
  return waitFor(
    `catalog ${version} on ${node.folder}`,
    TIMEOUT_MS,
    async () => (await node.status()).catalog.timestamp === version,
  )
}

/**
 * Stages the release for half of the nodes and resolves to those that it must reach. The salt is random: once in 500
 * draws all ten nodes are on one side, which would prove little, so then the draft is put back and drawn again.
 */
async function stage(
  { folder }: OriginFolder,
  appFolder: string,
  nodes: readonly NodeProcess[],
): Promise<ReadonlySet<NodeProcess>> {
  const file = join(folder, 'draft/state.json')
  const draft = await readFile(file)
  for (;;) {
    const steps = ['--steps', `0:${PERCENT}`]
    await runMain('origin', 'release', 'next', folder, 'hello-web', appFolder, ...steps)
    const { channels } = findDraftApp(await readReleases(folder), 'hello-web')
    const salt = channels.stable?.next?.rollout.salt
    if (salt === undefined) throw new Error('the release is not staged')
    const chosen = new Set<NodeProcess>()
    for (const node of nodes) {
      const seed = await readFile(join(node.stateFolder, 'rollout.seed'))
      if (bucketOf(salt, 'core.hello-web', seed) < PERCENT / 100) chosen.add(node)
    }
    if (chosen.size > 0 && chosen.size < nodes.length) return chosen
    await writeFile(file, draft)
  }
}
