/** Nodes that nobody introduced: by mDNS on one link, and by the DHT between two sites that no link joins. */
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { NodeStatus } from '../../src/status.ts'
import { archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab, type Lab, type LabNode } from '../support/lab/index.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8050
/** Nobody listens here. */
const SILENT_PORT = 8059
const TIMEOUT_MS = 60_000
/** More than the manifest: the images of the app. */
const APP_BYTES_MIN = 100_000

type Peer = NodeStatus['swarm']['peers'][number]

describe('50 nodes that nobody introduced', function () {
  this.timeout(300_000)
  let lab: Lab
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer | undefined
  const nodes: LabNode[] = []

  before(async () => {
    lab = await attachLab()
    folder = await makeTempFolder()
    const apps = await buildAppFolders({ mode: 'real' })
    origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
  })
  after(async () => {
    await server?.close()
    await folder[Symbol.asyncDispose]()
  })
  afterEach(async () => {
    await lab.heal()
    for (const node of nodes.splice(0)) {
      if ((await node.status()).state !== 'off') await node.off()
    }
  })

  async function add(...names: readonly string[]): Promise<readonly LabNode[]> {
    const added = await Promise.all(names.map(name => lab.add(name)))
    nodes.push(...added)
    for (const node of added) await giveRoot(node, origin.rootFile)
    return added
  }
  const configAt = (port: number, swarm: string): string =>
    labConfig({ originUrl: `http://${lab.ip('origin')}:${port}/`, more: `swarm: {${swarm}}` })
  /** Starts the node with an origin, installs the app there, and takes the origin away. */
  async function installFromOrigin(node: LabNode, swarm: string): Promise<void> {
    server = await serveOrigin(origin.publicFolder, {
      ...{ host: lab.ip('origin'), port: PORT, log: silentLog },
    })
    await runArchy(node, configAt(PORT, swarm))
    await archy(node, 'app', 'install', 'hello-web')
    await server.close()
    server = undefined
  }
  const untilPeer = (node: LabNode, peerId: string): Promise<Peer> =>
    waitFor(`${peerId} on ${node.name}`, TIMEOUT_MS, async () =>
      (await statusOf(node)).swarm.peers.find(peer => peer.peerId === peerId),
    )
  const untilCatalog = (node: LabNode): Promise<true> =>
    waitFor(`a catalog on ${node.name}`, TIMEOUT_MS, async () =>
      (await statusOf(node)).catalog.timestamp === undefined ? undefined : (true as const),
    )

  it('finds its neighbour by mDNS alone and gets an app from it, without origin and bootstrap', async () => {
    const [first, second] = (await add('mdns1', 'mdns2')) as [LabNode, LabNode]
    await installFromOrigin(first, '')
    const { peerId } = await statusOf(first)
    await runArchy(second, configAt(SILENT_PORT, ''))
    const peer = await untilPeer(second, peerId)
    const back = await untilPeer(first, (await statusOf(second)).peerId)
    expect([peer.scope, back.scope]).to.deep.equal(['lan', 'lan'])
    // One of the two heard the other first and dialled it.
    expect([peer.found, back.found]).to.include('mdns')
    await untilCatalog(second)
    await archy(second, 'app', 'install', 'hello-web')
    const { totals } = (await statusOf(second)).swarm
    expect(totals.origin).to.equal(0)
    expect(totals.peer).to.be.greaterThan(APP_BYTES_MIN)
  })

  it('finds a holder at another site by the DHT, and gets the app straight from it', async () => {
    const [hub, here, there] = (await add('sitehub', 'site1', 'site2')) as [
      LabNode,
      LabNode,
      LabNode,
    ]
    const outside = new Map([
      [hub, '11.0.0.1'],
      [here, '11.0.1.1'],
      [there, '11.0.2.1'],
    ])
    await joinSites(hub, [here, there], outside)
    await lab.partition(here.name, there.name)

    const quiet = 'mdns: false, upnp: off'
    await installFromOrigin(there, quiet)
    await runArchy(hub, configAt(SILENT_PORT, quiet))
    const { peerId: hubId } = await statusOf(hub)
    const bootstrap = `bootstrap: [/ip4/${outside.get(hub)}/tcp/4001/p2p/${hubId}]`
    await runArchy(there, configAt(SILENT_PORT, `${quiet}, ${bootstrap}`))
    await untilPeer(there, hubId)
    await runArchy(here, configAt(SILENT_PORT, `${quiet}, ${bootstrap}`))
    await untilPeer(here, hubId)
    await untilCatalog(here)
    await archy(here, 'app', 'install', 'hello-web')

    const { peerId } = await statusOf(there)
    const peer = await untilPeer(here, peerId)
    expect(peer.scope).to.equal('wan')
    expect(peer.found).to.be.oneOf(['dht', 'inbound'])
    const { totals, peers } = (await statusOf(here)).swarm
    expect(totals.origin).to.equal(0)
    expect(totals.peer).to.be.greaterThan(APP_BYTES_MIN)
    // What came over the bootstrap node is the catalog's news, and no part of the app.
    const atHub = peers.find(each => each.peerId === hubId)
    expect(atHub?.receivedBytes ?? 0).to.be.lessThan(APP_BYTES_MIN)
    expect((await statusOf(hub)).swarm.totals).to.deep.equal({ peer: 0, origin: 0 })
  })

  /** Gives every node an address of the Internet; the hub carries what the sites send to each other's. */
  async function joinSites(
    hub: LabNode,
    sites: readonly LabNode[],
    outside: ReadonlyMap<LabNode, string>,
  ): Promise<void> {
    const asRoot = (node: LabNode, command: string): Promise<string> =>
      node.ok(command, { user: 'root' })
    await asRoot(hub, 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    await asRoot(hub, 'echo 0 > /proc/sys/net/ipv4/conf/host0/send_redirects')
    for (const [node, address] of outside) await asRoot(node, `ip addr add ${address}/32 dev host0`)
    for (const site of sites) {
      await asRoot(hub, `ip route add ${outside.get(site)} via ${site.ip}`)
      for (const [other, address] of outside) {
        if (other === site) continue
        const source = `src ${outside.get(site)}`
        await asRoot(site, `ip route add ${address} via ${hub.ip} ${source}`)
      }
    }
  }
})
