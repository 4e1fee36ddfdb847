/** `archy blob why` of a running node: an app that came from another node, over real connections and the control socket. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import type { BlobListView, BlobView } from '../../src/http/blob-routes.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { Explanation } from '../../swarm/index.ts'
import { buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const LARGE_MIB = 6
const TIMEOUT_MS = 40_000

describe('archy blob why', function () {
  this.timeout(120_000)
  let folder: TempFolder
  let server: OriginServer
  let giver: NodeProcess
  let getter: NodeProcess
  let giverId: string
  let blob: BlobView

  before(async () => {
    folder = await makeTempFolder()
    const large = join(folder.path, 'large')
    const apps = await buildAppFolders({ mode: 'stub' })
    await buildLargeApp(large, { id: 'large', mib: LARGE_MIB, seed: 'why', apps })
    const origin = await runOrigin(join(folder.path, 'origin'), large)
    server = await serveOrigin(origin.publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
    giver = await startNode(origin.rootFile, [])
    const { addresses, peerId } = (await giver.status()).swarm
    giverId = peerId
    await untilInstalled(giver)
    // From here on only the other node has anything, the catalog included.
    await server[Symbol.asyncDispose]()
    getter = await startNode(origin.rootFile, addresses)
    await untilInstalled(getter)
    const { stdout } = await getter.run(['blob', 'list', '--json'])
    const [largest] = [...(JSON.parse(stdout) as BlobListView).blobs].sort(
      (a, b) => b.sizeBytes - a.sizeBytes,
    )
    blob = largest ?? expect.fail('the node has no blobs')
  })
  after(async () => {
    await getter[Symbol.asyncDispose]()
    await giver[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  async function startNode(rootFile: string, bootstrap: readonly string[]): Promise<NodeProcess> {
    const node = await NodeProcess.make()
    await copyFile(rootFile, join(node.configFile, '../root.json'))
    await node.configure(
      [
        'network: test',
        `origin: {urls: ["${server.url}"]}`,
        'apps: {large: {}}',
        'catalog: {refreshInterval: 1s}',
        `swarm: {listen: ["/ip4/127.0.0.1/tcp/0"], bulk: 0, bootstrap: ${JSON.stringify(bootstrap)}}`,
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
    return node
  }
  async function untilInstalled(node: NodeProcess): Promise<void> {
    await waitFor('the app to be installed', TIMEOUT_MS, async () => {
      const app = await node.app('large')
      return app?.version === '1.0.0' && app.next === undefined ? app : undefined
    })
  }
  async function explain(): Promise<Explanation> {
    const { code, stdout, stderr } = await getter.run(['blob', 'why', blob.digest, '--json'])
    expect(code, stderr).to.equal(0)
    return JSON.parse(stdout) as Explanation
  }

  it('says which peer gave every piece, and when', async () => {
    const told = await explain()
    expect(told).to.deep.include({ outcome: 'done', sizeBytes: blob.sizeBytes, reusedBytes: 0 })
    const given = told.sources.filter(({ verifiedBytes }) => verifiedBytes > 0)
    expect(given.map(({ kind, name }) => [kind, name])).to.deep.equal([['peer', giverId]])
    expect(given[0]).to.deep.include({
      verifiedBytes: blob.sizeBytes,
      pieceCount: told.pieceCount,
      pieces: `0-${told.pieceCount - 1}`,
    })
    const { layer, firstAskMs = -1, firstBytesMs = -1, lastPieceMs = -1 } = told.milestones
    expect(layer?.name).to.equal(giverId)
    expect([firstAskMs, firstBytesMs, lastPieceMs, told.durationMs]).to.satisfy(
      (times: readonly number[]) => times.every((ms, index) => ms >= (times[index - 1] ?? 0)),
    )
  })

  it('says it to a person, with the way of each byte', async () => {
    const { stdout } = await getter.run(['blob', 'why', blob.digest])
    expect(stdout).to.match(new RegExp(`^${blob.digest}\n.* pieces of .*, done in [\\d.]+ s`))
    expect(stdout).to.match(new RegExp(`peer ${giverId} +\\d+ pieces +6\\.\\d MB +busy `))
  })

  it('still knows it after a restart', async () => {
    const before = await explain()
    await getter.end('SIGTERM')
    await getter.start()
    expect(await explain()).to.deep.equal(before)
  })

  it('says of a blob that was never fetched, and of what is no digest, that there is nothing to say', async () => {
    const never = await getter.run(['blob', 'why', `blake3:${'0'.repeat(64)}`])
    expect([never.code, never.stdout]).to.deep.equal([1, ''])
    expect(never.stderr).to.match(
      /^archy: no fetch of blake3:0{64} is remembered.*\(FETCH_UNKNOWN\)/,
    )
    expect((await getter.run(['blob', 'why', 'sha256:00'])).code).to.be.oneOf([1, 2])
  })
})
