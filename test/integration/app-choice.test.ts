/** What a publisher decides about releases, and what a real node then runs: staged, pinned, withdrawn, and back again. */
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { openProcessStage } from '../demo/process-stage.ts'
import type { DemoNode, Stage } from '../demo/stage.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000

describe('the choice of a release', function () {
  this.timeout(90_000)
  let folder: TempFolder
  let stage: Stage
  let node: DemoNode
  let origin: OriginFolder
  let server: AsyncDisposable
  let second: string

  beforeEach(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    second = folders['hello-web-2']
    folder = await makeTempFolder()
    stage = await openProcessStage()
    node = stage.nodes[0]
    origin = await runOrigin(join(folder.path, 'origin'), folders['hello-web'])
    server = await serveOrigin(origin.publicFolder, { ...stage.origin, log: silentLog })
    await stage.trust(origin.rootFile)
    await node.configure({ apps: [], bootstrap: [] })
    await node.archy('status', '--refresh')
  })
  afterEach(async () => {
    await stage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const release = (...args: readonly string[]): Promise<string> => {
    const [verb = '', ...rest] = args
    return runMain('origin', 'release', verb, origin.folder, 'hello-web', ...rest)
  }
  const publish = async (): Promise<void> => {
    await origin.publish()
    await node.archy('status', '--refresh')
  }
  const until = (what: string, test: (view: AppView) => boolean): Promise<AppView> =>
    waitFor(what, TIMEOUT_MS, async () =>
      (await node.status()).apps.find(app => app.id === 'hello-web' && test(app)),
    )
  const untilVersion = (version: string): Promise<AppView> =>
    until(version, view => view.version === version && view.next === undefined)
  const explain = (): Promise<string> => node.archy('app', 'explain', 'hello-web')

  it('follows the head, stays where it is pinned, and follows again', async () => {
    expect(await explain()).to.match(/→ +1\.0\.0 +head +it is the head of the channel/)
    await node.archy('app', 'install', 'hello-web')
    await untilVersion('1.0.0')
    await node.archy('app', 'pin', 'hello-web', '1.0.0')
    await origin.publish(second)
    await node.archy('status', '--refresh')
    expect((await until('a pin', view => view.pin !== undefined)).version).to.equal('1.0.0')
    expect(await explain()).to.match(
      /pinned to 1\.0\.0 \(catalog \d+, fresh\)\n→ +1\.0\.0 +installed/,
    )
    expect(await node.archy('app', 'list')).to.include('pinned to 1.0.0')
    await node.archy('app', 'unpin', 'hello-web')
    await untilVersion('2.0.0')
    const error = await node.archy('app', 'pin', 'hello-web', '1.0.0').catch(String)
    expect(error).to.match(/older than the installed number 2.*PIN_UNAVAILABLE/s)
  })

  it('waits for its turn in a rollout, and leaves a release that its publisher replaces', async () => {
    await node.archy('app', 'install', 'hello-web')
    await untilVersion('1.0.0')
    await release('next', second, '--steps', '0:0,1d:100')
    await publish()
    expect(await explain()).to.include('its rollout has not reached this node')
    await release('step', '--percent', '100')
    await publish()
    await untilVersion('2.0.0')
    await release('halt')
    await release(
      'yank',
      '2.0.0',
      '--severity',
      'critical',
      '--action',
      'replace',
      '--reason',
      'it loses data',
    )
    await release('rollback-to', '1.0.0')
    await publish()
    await untilVersion('1.0.0')
    expect(await explain()).to.match(/→ +1\.0\.0 +installed +it is what head says/)
  })

  it('lists what there is, and says of an unknown app what was meant', async () => {
    expect(await node.archy('app', 'catalog')).to.match(/hello-web +stable +1\.0\.0 +core/)
    const error = await node.archy('app', 'install', 'hello-wep').catch(String)
    expect(error).to.match(/hello-web.*APP_UNKNOWN/s)
    expect(await node.archy('app', 'explain', 'hello-wep')).to.include('nothing is installed')
  })
})
