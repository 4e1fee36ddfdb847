/** A node whose owner follows a publisher that no origin lists: over HTTP, with consent, and after an origin lists it. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 40_000

describe('a node with a feed', function () {
  this.timeout(90_000)
  let folder: TempFolder
  let origin: OriginFolder
  let publisher: string
  let did: string
  let app: string
  let node: NodeProcess
  const open: AsyncDisposable[] = []

  beforeEach(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    folder = await makeTempFolder()
    origin = await runOrigin(join(folder.path, 'origin'))
    publisher = join(folder.path, 'publisher')
    const made = await runMain(
      'origin',
      'init',
      publisher,
      '--publisher',
      '--unencrypted',
      '--json',
    )
    const { id, ...rest } = JSON.parse(made)
    did = rest.did
    app = `${id}.hello-web`
    await runMain('origin', 'add', publisher, folders['hello-web'])
    await runMain('origin', 'publish', publisher)
    const [ofOrigin, ofPublisher] = await Promise.all(
      [origin.folder, publisher].map(path => serve(join(path, 'public'))),
    )
    node = await NodeProcess.make()
    open.push(node)
    await cp(origin.rootFile, join(node.folder, 'config/archipelago/root.json'))
    await node.configure(
      [
        'network: feed',
        `origin: {urls: ["${ofOrigin}"]}`,
        `feeds: [{did: "${did}", url: "${ofPublisher}"}]`,
        'swarm: {listen: [/ip4/127.0.0.1/tcp/0]}',
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
    await node.run(['status', '--refresh'])
  })
  afterEach(async () => {
    for (const thing of open.splice(0).toReversed()) await thing[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  async function serve(path: string): Promise<string> {
    const server = await serveOrigin(path, { host: '127.0.0.1', port: 0, log: silentLog })
    open.push(server)
    return server.url
  }
  const installed = () =>
    waitFor('the app', TIMEOUT_MS, async () => {
      const view = await node.app('hello-web')
      return view?.version === '1.0.0' && view.next === undefined ? view : undefined
    })

  it('asks before it runs what a stranger signed, and remembers the answer', async () => {
    expect((await node.run(['app', 'catalog'])).stdout).to.match(
      new RegExp(`${app} +stable +1\\.0\\.0 +feed`),
    )
    const refused = await node.run(['app', 'install', app])
    expect(refused.code).to.equal(1)
    expect(refused.stderr).to.match(/CONSENT_REQUIRED/)
    expect(refused.stderr).to.include(did)
    const other = await node.run(['app', 'install', app, '--trust-publisher', `${did}x`])
    expect(other.stderr).to.match(/CONSENT_REQUIRED/)
    const agreed = await node.run(['app', 'install', app, '--trust-publisher', did, '--no-wait'])
    expect(agreed.code).to.equal(0)
    await installed()
    expect((await node.run(['app', 'install', app, '--no-wait'])).code).to.equal(0)
  })

  it('keeps the app under the same name once its origin lists the publisher', async () => {
    await node.run(['app', 'install', app, '--trust-publisher', did, '--no-wait'])
    await installed()
    const from = ['--from', publisher, '--tier', 'claimed']
    await runMain('origin', 'delegate', 'add', origin.folder, did, ...from)
    await runMain('origin', 'publish', origin.folder)
    await node.run(['status', '--refresh'])
    expect((await node.run(['app', 'catalog'])).stdout).to.match(
      new RegExp(`${app} +stable +1\\.0\\.0 +claimed`),
    )
    expect((await node.run(['app', 'explain', app])).stdout).to.match(/→ +1\.0\.0 +installed/)
  })
})
