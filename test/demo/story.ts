/** The main job as a story: publish, install, share, survive, update, refuse a liar, continue after a crash. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { formatBytes } from '../../src/commands/format.ts'
import type { AppView } from '../../src/status.ts'
import { IN_FLIGHT_BYTES_MAX, SYNC_BYTES_MAX } from '../../swarm/index.ts'
import { type AppFolders, buildLargeApp } from '../support/images/index.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'
import { openPublisher, type Publisher } from './publisher.ts'
import { createStory, type DemoReport, type NodeReport, type Story } from './report.ts'
import { type DemoNode, NETWORK, type Stage } from './stage.ts'

/** Loading an image and starting three containers on two busy cores. */
const INSTALL_TIMEOUT_MS = 180_000
const LIAR = join(import.meta.dirname, '../support/swarm/liar.ts')
/** Large enough that a crash falls into the middle of it at `CRASH_RATE`. */
const LARGE_MIB = 192
const CRASH_RATE = '24MiB'
const LIED_MIB = 24

interface Scene {
  readonly stage: Stage
  readonly publisher: Publisher
  readonly apps: AppFolders
  readonly scratch: string
}

/** Tells the whole story; resolves also when a step failed (`ok: false`). `write` gets text for a person. */
export async function tellStory(
  stage: Stage,
  apps: AppFolders,
  write: (text: string) => void,
): Promise<DemoReport> {
  const story = createStory(write)
  await using scratch = await makeTempFolder()
  await using publisher = await openPublisher(stage.origin)
  const scene: Scene = { stage, publisher, apps, scratch: scratch.path }
  let ok = true
  try {
    await publishAndInstall(story, scene)
    await share(story, scene)
    if (stage.runsApps) await rebootAndRead(story, scene)
    await update(story, scene)
    await refuseLiar(story, scene)
    await continueAfterCrash(story, scene)
  } catch (error) {
    ok = false
    write(
      `\nThe story ends here: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    for (const node of stage.nodes)
      write(`\n--- log of ${node.name}, last lines ---\n${await tail(node)}\n`)
  }
  const page = await stage.nodes[1].archy('status').catch(error => String(error))
  write(`\nWhat "archy status" says on node 2:\n\n${page.replaceAll(/^/gm, '   ').trimEnd()}\n`)
  const nodes = await Promise.all(stage.nodes.map(node => describeNode(node, stage)))
  return { ok, mode: stage.mode, steps: story.results, nodes }
}

async function publishAndInstall(story: Story, { stage, publisher, apps }: Scene): Promise<void> {
  const [n1] = stage.nodes
  await story.step('The publisher signs a catalog with hello-web and notes', async fact => {
    await publisher.publish(apps.folders['hello-web'], apps.folders.notes)
    await stage.trust(publisher.rootFile)
    fact(`blobs at the origin: ${formatBytes(await publisher.blobBytes())}`)
  })
  await story.step('Node 1 installs both from the origin', async fact => {
    await n1.configure({ apps: ['hello-web', 'notes'], bootstrap: [] })
    await appAt(stage, n1, 'hello-web', '1.0.0')
    await appAt(stage, n1, 'notes', '1.0.0')
    const { totals } = (await n1.status()).swarm
    if (totals.origin === 0) throw new Error('node 1 took no byte from the origin')
    fact(`from the origin: ${formatBytes(totals.origin)}, from peers: ${formatBytes(totals.peer)}`)
    if (!stage.runsApps) fact('units rendered and checked; running them needs the lab')
  })
}

async function share(story: Story, { stage, publisher }: Scene): Promise<void> {
  const [n1, n2] = stage.nodes
  await story.step(
    'Node 2 installs both while the origin has the catalog but no blobs',
    async fact => {
      await publisher.hideBlobs()
      await n2.configure({ apps: ['hello-web', 'notes'], bootstrap: await addressesOf(n1) })
      await appAt(stage, n2, 'hello-web', '1.0.0')
      await appAt(stage, n2, 'notes', '1.0.0')
      await publisher.showBlobs()
      const { totals } = (await n2.status()).swarm
      fact(`from the origin: ${totals.origin} B, from peers: ${formatBytes(totals.peer)}`)
      if (totals.origin !== 0) throw new Error(`node 2 took ${totals.origin} bytes from the origin`)
    },
  )
}

async function rebootAndRead(story: Story, { stage }: Scene): Promise<void> {
  const [n1] = stage.nodes
  await story.step('A note written on node 1 is read back after node 1 reboots', async fact => {
    const url = `http://${n1.host}:${await portOf(n1, 'notes')}/notes`
    const text = `written at ${new Date().toISOString()}`
    const answer = await fetch(url, { method: 'POST', body: text })
    if (answer.status !== 201) throw new Error(`POST ${url} answered ${answer.status}`)
    fact(`wrote: ${text}`)
    await n1.reboot()
    await waitFor('the note to be read back', INSTALL_TIMEOUT_MS, async () => {
      const page = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
      return page?.ok === true && (await page.text()).includes(text)
    })
    fact('read the same note after the reboot')
  })
}

async function update(story: Story, { stage, publisher, apps }: Scene): Promise<void> {
  await story.step(
    'Version 2 of hello-web is published; both nodes move to it by themselves',
    async fact => {
      await publisher.publish(apps.folders['hello-web-2'])
      for (const node of stage.nodes) {
        await appAt(stage, node, 'hello-web', '2.0.0')
        if (!stage.runsApps) continue
        const page = await fetch(`http://${node.host}:${await portOf(node, 'hello-web')}/version`)
        fact(`${node.name} serves ${(await page.text()).trim()}`)
      }
    },
  )
}

async function refuseLiar(story: Story, scene: Scene): Promise<void> {
  const { stage, publisher, scratch, apps } = scene
  const [n1, n2] = stage.nodes
  await story.step(
    'A peer that alters bytes is refused, named, and replaced by the origin',
    async fact => {
      const app = join(scratch, 'large-lied')
      await buildLargeApp(app, { id: 'large-lied', mib: LIED_MIB, seed: 'lied', apps })
      await publisher.publish(app)
      await using liar = await startLiar(stage.origin.host, publisher.publicFolder)
      const bootstrap = [...(await addressesOf(n1)), liar.address]
      const before = (await n2.status()).swarm.totals
      await n2.configure({ apps: ['hello-web', 'notes'], bootstrap })
      await waitFor('the liar to be connected', 30_000, async () =>
        (await n2.status()).swarm.peers.some(peer => peer.peerId === liar.peerId),
      )
      await n2.archy('status', '--refresh')
      await n2.archy('app', 'install', 'large-lied')
      const line = (await n2.log())
        .split('\n')
        .find(text => text.includes('piece refused') && text.includes(liar.peerId))
      if (line === undefined) throw new Error(`the log of node 2 does not name ${liar.peerId}`)
      const after = (await n2.status()).swarm.totals
      const { level, msg, pieceIndex, source, peer } = JSON.parse(line) as Record<string, unknown>
      fact(`node 2 logged: ${level}: ${msg}, piece ${pieceIndex} from ${source} ${peer}`)
      fact(`good bytes came from the origin: ${formatBytes(after.origin - before.origin)}`)
      if (after.origin - before.origin < LIED_MIB * 2 ** 20)
        throw new Error('the origin did not deliver it')
    },
  )
}

async function continueAfterCrash(story: Story, scene: Scene): Promise<void> {
  const { stage, publisher, scratch, apps } = scene
  const [n1] = stage.nodes
  const title = `Node 1 ${stage.crashName} in the middle of a large download and completes it`
  await story.step(title, async fact => {
    await n1.configure({ apps: ['hello-web', 'notes'], bootstrap: [], downloadLimit: CRASH_RATE })
    const app = join(scratch, 'large-cut')
    const sizeBefore = await publisher.blobBytes()
    await buildLargeApp(app, { id: 'large-cut', mib: LARGE_MIB, seed: 'cut', apps })
    await publisher.publish(app)
    const sizeBytes = (await publisher.blobBytes()) - sizeBefore
    const servedBefore = publisher.blobBytesServed()
    await n1.archy('status', '--refresh')
    await n1.archy('app', 'install', 'large-cut', '--no-wait')
    const heldAtCrash = await waitFor('half of the download', INSTALL_TIMEOUT_MS, async () => {
      const held = await heldBytes(n1, 'large-cut')
      return held > sizeBytes * 0.5 ? held : undefined
    })
    await n1.crash()
    const servedAtCrash = publisher.blobBytesServed() - servedBefore
    fact(`cut after ${formatBytes(heldAtCrash)} of ${formatBytes(sizeBytes)}`)
    await n1.recover()
    await appAt(stage, n1, 'large-cut', '1.0.0')
    const served = publisher.blobBytesServed() - servedBefore
    const again = Math.max(0, served - sizeBytes)
    const bound = SYNC_BYTES_MAX + IN_FLIGHT_BYTES_MAX
    fact(
      `the origin sent ${formatBytes(servedAtCrash)} before the cut, ${formatBytes(served)} in all`,
    )
    fact(
      `fetched again: ${formatBytes(again)}; bound: ${formatBytes(bound)} ` +
        `(${formatBytes(SYNC_BYTES_MAX)} not yet synced + ${formatBytes(IN_FLIGHT_BYTES_MAX)} in flight)`,
    )
    if (again > bound) throw new Error(`fetched ${again} bytes again; the bound is ${bound}`)
  })
}

/** Waits until the node has the app at the version: running where apps run, else rendered and checked. */
async function appAt(stage: Stage, node: DemoNode, id: string, version: string): Promise<AppView> {
  const wanted = stage.runsApps ? 'running' : 'stopped'
  return await waitFor(
    `${id} ${version} ${wanted} on ${node.name}`,
    INSTALL_TIMEOUT_MS,
    async () => {
      const view = await viewOf(node, id)
      const isThere = view?.version === version && view.state === wanted && view.next === undefined
      if (!isThere || !stage.runsApps) return isThere ? view : undefined
      return (await httpStatusOf(node, view)) === 200 ? view : undefined
    },
  )
}

async function viewOf(node: DemoNode, id: string): Promise<AppView | undefined> {
  const status = await node.status().catch(() => undefined)
  return status?.apps.find(app => app.id === id)
}

async function heldBytes(node: DemoNode, id: string): Promise<number> {
  return (await viewOf(node, id))?.next?.progress?.heldBytes ?? 0
}

async function portOf(node: DemoNode, id: string): Promise<number> {
  const port = (await viewOf(node, id))?.interfaces?.[0]?.port
  if (port === undefined) throw new Error(`${id} on ${node.name} has no interface`)
  return port
}

async function httpStatusOf(node: DemoNode, view: AppView): Promise<number | null> {
  const first = view.interfaces?.[0]
  if (first === undefined) return null
  const url = `http://${node.host}:${first.port}${first.path}`
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.status ?? null
}

async function addressesOf(node: DemoNode): Promise<readonly string[]> {
  return (await node.status()).addresses.filter(a => a.includes(`/${node.host}/`))
}

async function describeNode(node: DemoNode, stage: Stage): Promise<NodeReport> {
  const status = await node.status().catch(() => undefined)
  const apps = await Promise.all(
    (status?.apps ?? []).map(async view => ({
      id: view.id,
      version: view.version ?? '',
      state: view.state,
      httpStatus: stage.runsApps ? await httpStatusOf(node, view) : null,
    })),
  )
  const { peer, origin } = status?.swarm.totals ?? { peer: 0, origin: 0 }
  return { name: node.name, apps, bytes: { peer, origin } }
}

async function tail(node: DemoNode): Promise<string> {
  const text = await node.log().catch(error => `no log: ${String(error)}`)
  return text.split('\n').slice(-25).join('\n')
}

interface Liar extends AsyncDisposable {
  readonly address: string
  readonly peerId: string
}

/** A real peer of the network that flips a byte in everything it sends. */
async function startLiar(host: string, publicFolder: string): Promise<Liar> {
  const args = ['--network', NETWORK, '--listen', `/ip4/${host}/tcp/0`, '--blobs', publicFolder]
  const child = spawn(process.execPath, [LIAR, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const first = await lines[Symbol.asyncIterator]().next()
  const { peerId, addresses } = JSON.parse(String(first.value)) as {
    peerId: string
    addresses: string[]
  }
  return {
    address: addresses[0] ?? '',
    peerId,
    async [Symbol.asyncDispose]() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}
