/**
 * Checks an orchestrator in render mode: real store, real files, no Podman and no systemd needed.
 * Goal: units come out checked, what is refused is refused before anything moves, and nothing is lost between runs.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createHost, createOrchestrator, type Orchestrator } from '../../orchestrator/index.ts'
import { assembleLayout } from '../../orchestrator/layout.ts'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import type { BlobStore } from '../../swarm/ports.ts'
import { openBlobStore } from '../../swarm/store/open.ts'
import { type AppFolders, buildAppFolders } from '../support/images/index.ts'
import { makeRelease } from '../support/orchestrator/release.ts'

describe('orchestrator in render mode', () => {
  let folder: string
  let apps: AppFolders
  let store: BlobStore
  let orchestrator: Orchestrator

  const open = async (): Promise<Orchestrator> => {
    const made = createOrchestrator(
      { ...createHost(), clock: systemClock, log: silentLog, randomBytes },
      {
        stateFolder: join(folder, 'state'),
        dataFolder: join(folder, 'data'),
        unitFolder: join(folder, 'units'),
        userUnitFolder: join(folder, 'user'),
        mode: 'render',
      },
    )
    await made.open()
    return made
  }
  const release = (
    app: keyof AppFolders['folders'],
    seq: number,
    change = (text: string) => text,
  ) => makeRelease({ appFolder: apps.folders[app], workFolder: folder, store, seq, change })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-orchestrator-'))
    apps = await buildAppFolders({ mode: 'stub', cacheFolder: join(folder, 'cache') })
    store = await openBlobStore(
      { folder: join(folder, 'store'), clock: systemClock, log: silentLog },
      { minFreeBytes: 0 },
    )
    orchestrator = await open()
  })

  afterEach(async () => {
    await orchestrator.close()
    await store[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  it('renders and checks the units of an app and says that it starts nothing', async () => {
    const status = await orchestrator.install(await release('notes', 1))
    expect(status.state).to.equal('stopped')
    expect(status.note).to.include('render mode')
    expect(status.components.map(({ name }) => name)).to.deep.equal(['cache', 'db', 'web'])
    expect((await readdir(join(folder, 'units'))).sort()).to.deep.equal([
      'app-notes.network',
      'app-notes_cache.container',
      'app-notes_db.container',
      'app-notes_web.container',
    ])
  })

  it('puts the signed image ID into the unit', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const unit = await readFile(join(folder, 'units', 'app-hello-web_web.container'), 'utf8')
    const image = apps.images['hello-web/web']
    expect(unit).to.include(`\nImage=${image?.config.replace('sha256:', '')}\n`)
  })

  it('updates, refuses to go back, and does nothing for the same release', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const updated = await orchestrator.install(await release('hello-web-2', 2))
    expect([updated.version, updated.seq]).to.deep.equal(['2.0.0', 2])
    const before = await stat(join(folder, 'state', 'apps', 'hello-web.json'))
    await orchestrator.install(await release('hello-web-2', 2))
    const after = await stat(join(folder, 'state', 'apps', 'hello-web.json'))
    expect(after.ino, 'the record is not written again').to.equal(before.ino)
    const older = await orchestrator.install(await release('hello-web', 1)).catch((e: unknown) => e)
    expect(older).to.have.property('code', 'RELEASE_OLDER')
  })

  it('names port and holder of a port that another app has, and changes nothing', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const twin = await release('hello-web', 1, text => text.replace('id: hello-web', 'id: twin'))
    const error = await orchestrator.install(twin).catch((e: unknown) => e)
    expect(error).to.have.property('code', 'PORT_TAKEN')
    expect(error).to.have.property(
      'message',
      'twin wants port 8080/tcp, which the app hello-web holds',
    )
    expect(await readdir(join(folder, 'units'))).to.have.length(2)
  })

  it('keeps data and secrets over an uninstall, and finds them again', async () => {
    await orchestrator.install(await release('notes', 1))
    const secret = join(folder, 'state', 'secrets', 'notes', 'db-password')
    const value = await readFile(secret, 'utf8')
    expect((await stat(secret)).mode & 0o777).to.equal(0o600)
    await writeFile(join(folder, 'data', 'notes', 'db', 'file'), 'kept')
    expect((await orchestrator.uninstall('notes')).state).to.equal('retained')
    expect(await readdir(join(folder, 'units'))).to.deep.equal([])
    await orchestrator.install(await release('notes', 1))
    expect(await readFile(secret, 'utf8')).to.equal(value)
    expect(await readFile(join(folder, 'data', 'notes', 'db', 'file'), 'utf8')).to.equal('kept')
  })

  it('knows after a restart what it knew before', async () => {
    const before = await orchestrator.install(await release('notes', 1))
    await orchestrator.close()
    orchestrator = await open()
    expect(await orchestrator.apps()).to.deep.equal([before])
  })

  it('waits for its owner when an update may do more, and goes on once they agreed to it', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const wider = await release('hello-web-2', 2, text =>
      text.replace('ports:', 'devices: [{ path: /dev/video0 }]\n    ports:'),
    )
    const refused = await orchestrator.install(wider).catch((e: unknown) => e)
    expect(refused).to.have.property('code', 'CONSENT_NEEDED')
    expect(refused).to.have.property('message').that.includes('archy app approve hello-web')
    const [waiting] = await orchestrator.apps()
    expect([waiting?.version, waiting?.pendingConsent]).to.deep.equal([
      '1.0.0',
      { version: '2.0.0', added: ['use the device /dev/video0'], removed: [] },
    ])
    await orchestrator.close()
    orchestrator = await open()
    await orchestrator.approve('hello-web')
    const updated = await orchestrator.install(wider)
    expect([updated.version, updated.pendingConsent]).to.deep.equal(['2.0.0', undefined])
    const again = await orchestrator.approve('hello-web').catch((e: unknown) => e)
    expect(again).to.have.property('code', 'CONSENT_NOT_ASKED')
  })

  it('goes back to the version before, once, and does not take the update again', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const alone = await orchestrator.rollback('hello-web').catch((e: unknown) => e)
    expect(alone).to.have.property('code', 'ROLLBACK_IMPOSSIBLE')
    const updated = await orchestrator.install(await release('hello-web-2', 2))
    expect(updated.previousVersion).to.equal('1.0.0')
    const back = await orchestrator.rollback('hello-web')
    expect([back.version, back.error, back.previousVersion]).to.deep.equal([
      '1.0.0',
      undefined,
      undefined,
    ])
    const unit = await readFile(join(folder, 'units', 'app-hello-web_web.container'), 'utf8')
    expect(unit).to.include('app.version=1.0.0')
    const again = await orchestrator
      .install(await release('hello-web-2', 2))
      .catch((e: unknown) => e)
    expect(again).to.have.property('code', 'RELEASE_REJECTED')
    expect((await orchestrator.install(await release('hello-web-2', 3))).version).to.equal('2.0.0')
  })

  it('goes back behind a version that forbids it only by force', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const final = (text: string) => `${text}\nupdate: { rollback: none }\n`
    const wider = await release('hello-web-2', 2, final)
    await orchestrator.install(wider).catch((e: unknown) => e)
    await orchestrator.approve('hello-web')
    await orchestrator.install(wider)
    const refused = await orchestrator.rollback('hello-web').catch((e: unknown) => e)
    expect(refused).to.have.property('code', 'ROLLBACK_IMPOSSIBLE')
    expect((await orchestrator.rollback('hello-web', { isForced: true })).version).to.equal('1.0.0')
  })

  const CONFIG = [
    'config:',
    '  greeting: { type: string }',
    '  network: { type: enum, values: [main, test], default: main, immutable: true }',
    'provides:',
    '  site: { component: web, values: { url: "http://${component.web.host}:${config.greeting}" } }',
    '',
  ].join('\n')
  const withConfig = (text: string): string =>
    `${text}\n${CONFIG}`.replace(
      '    ports:',
      '    env: { GREETING: "${config.greeting} on ${config.network}" }\n    files:\n      - { path: /etc/greeting, content: "${config.greeting}\\n" }\n    ports:',
    )
  const unitText = (app: string): Promise<string> =>
    readFile(join(folder, 'units', `app-${app}_web.container`), 'utf8')

  it('waits for the settings that an app has no value for, and runs it with them', async () => {
    const lacking = await orchestrator
      .install(await release('hello-web', 1, withConfig))
      .catch(e => e)
    expect(lacking).to.have.property('code', 'SETTING_INVALID')
    expect(lacking)
      .to.have.property('message')
      .that.includes('archy app config hello-web greeting=')
    expect((await orchestrator.settings('hello-web')).map(({ name }) => name)).to.deep.equal([
      'greeting',
      'network',
    ])
    await orchestrator.configure('hello-web', { greeting: 'hello', network: 'test' })
    await orchestrator.install(await release('hello-web', 1, withConfig))
    expect(await unitText('hello-web')).to.include('GREETING=hello on test')
    const file = join(folder, 'state', 'files', 'hello-web', '1', 'web', '0-greeting')
    expect(await readFile(file, 'utf8')).to.equal('hello\n')
  })

  it('puts new settings into a new generation, keeps them over an update, and refuses fixed ones', async () => {
    await orchestrator.install(await release('hello-web', 1, withConfig)).catch(() => undefined)
    await orchestrator.configure('hello-web', { greeting: 'one' })
    await orchestrator.install(await release('hello-web', 1, withConfig))
    await orchestrator.configure('hello-web', { greeting: 'two' })
    expect(await unitText('hello-web')).to.include('GREETING=two on main')
    const fixed = await orchestrator.configure('hello-web', { network: 'test' }).catch(e => e)
    expect(fixed).to.have.property('code', 'SETTING_INVALID')
    await orchestrator.install(await release('hello-web-2', 2, withConfig))
    expect(await unitText('hello-web')).to.include('GREETING=two on main')
    const back = await orchestrator.rollback('hello-web')
    expect(back.version).to.equal('1.0.0')
    expect(await unitText('hello-web')).to.include('GREETING=two on main')
  })

  it('gives an app what another one provides, and says what is missing', async () => {
    const needy = (text: string): string =>
      text
        .replace('id: hello-web', 'id: needy')
        .replaceAll('8080', '8090')
        .replace('    ports:', '    env: { SITE: "${needs.site.url}" }\n    ports:')
        .concat('\nneeds: { site: { app: hello-web, export: site } }\n')
    const alone = await orchestrator.install(await release('hello-web', 1, needy)).catch(e => e)
    expect(alone).to.have.property('code', 'VALUE_MISSING')
    expect(alone).to.have.property('message').that.includes('install hello-web first')
    await orchestrator.install(await release('hello-web', 1, withConfig)).catch(() => undefined)
    await orchestrator.configure('hello-web', { greeting: '99' })
    await orchestrator.install(await release('hello-web', 1, withConfig))
    await orchestrator.install(await release('hello-web', 1, needy))
    expect(await unitText('needy')).to.include('SITE=http://web.app-hello-web:99')
  })

  it('finishes after a crash what it had begun to put in place', async () => {
    await orchestrator.install(await release('hello-web', 1))
    await orchestrator.close()
    const file = join(folder, 'state', 'apps', 'hello-web.json')
    const record = JSON.parse(await readFile(file, 'utf8'))
    const { committed, ...rest } = record
    const operation = { kind: 'switch', to: committed, startedMs: 0 }
    await writeFile(file, JSON.stringify({ ...rest, operation }))
    await rm(join(folder, 'units', 'app-hello-web.network'))
    orchestrator = await open()
    await orchestrator.start('hello-web')
    const [status] = await orchestrator.apps()
    expect([status?.state, status?.version]).to.deep.equal(['stopped', '1.0.0'])
    expect(await readdir(join(folder, 'units'))).to.include('app-hello-web.network')
  })

  it('leaves an app alone whose record is damaged, and shows it beside the others', async () => {
    await orchestrator.install(await release('hello-web', 1))
    await writeFile(join(folder, 'state', 'apps', 'broken.json'), '{"format":')
    const shown = (await orchestrator.apps()).map(({ id, state }) => [id, state])
    expect(shown).to.deep.equal([
      ['broken', 'failed'],
      ['hello-web', 'stopped'],
    ])
    const error = await orchestrator.stop('broken').catch((e: unknown) => e)
    expect(error).to.have.property('code', 'RECORD_MALFORMED')
  })

  it('names what is installed when asked for what is not', async () => {
    await orchestrator.install(await release('hello-web', 1))
    const error = await orchestrator.stop('helo-web').catch((e: unknown) => e)
    expect(error).to.have.property('code', 'APP_NOT_INSTALLED')
    expect(error).to.have.property('message').that.includes('hello-web')
  })

  it('assembles an image layout without copying a byte', async () => {
    const { manifest, blobs } = await release('hello-web', 1)
    const image = manifest.images.web?.platforms.amd64
    if (image === undefined) throw new Error('the app has no image')
    await assembleLayout(join(folder, 'layout'), 'localhost/x:g1', image, blobs)
    for (const ref of [image.manifest, image.config, ...image.layers]) {
      const placed = join(folder, 'layout', 'blobs', 'sha256', ref.sha256.replace('sha256:', ''))
      const held = blobs.get(ref.blake3)?.path ?? ''
      expect((await stat(placed)).ino).to.equal((await stat(held)).ino)
    }
  })
})
