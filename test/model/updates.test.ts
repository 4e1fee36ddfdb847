/** Updates after the switch, and what is kept of an app, on the model machine: probation, the way back, secrets, purge. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { AppStatus, Orchestrator } from '../../orchestrator/index.ts'
import { codeOf } from '../../src/core/errors.ts'
import { GOOD_PROGRAM } from '../support/orchestrator/model/program.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { complaints } from '../support/orchestrator/owner-view.ts'

const manifest = (version: string, update = ''): string => `
apiVersion: archy.app/v1
id: duo
version: "${version}"
title: Duo
images: { a: { oci: a } }
secrets:
  token: { generate: { kind: hex }, rotate: onDemand }
  fixed: { generate: { kind: hex } }
data: { db: { snapshot: true }, media: { class: user } }
update: { healthyFor: 5s, probation: 10m, ${update} }
components:
  web:
    image: a
    env: { TOKEN: "Bearer \${secrets.token}", FIXED: "\${secrets.fixed}" }
    mounts: [{ data: db, path: /data }]
    ports: [{ container: 80, host: 8080 }]
    health: { http: { port: 8080 }, startBudget: 1m }
    stop: { grace: 5s }
`

const RECONCILE_MS = 30_000
const PROBATION_MS = 600_000
const BEFORE = 'written by version 1'

describe('after an update', () => {
  let machine: ModelMachine
  let node: Orchestrator
  let v1: VerifiedRelease
  let v2: VerifiedRelease

  const notes = (): string => join(machine.dataFolder, 'duo/db/notes')
  const status = async (): Promise<AppStatus> => {
    const [first] = await machine.do(() => node.apps())
    if (first === undefined) throw new Error('there is no app')
    return first
  }
  const reconcileFor = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += RECONCILE_MS) {
      await machine.do(() => node.reconcile())
      await machine.time.pass(RECONCILE_MS)
    }
  }
  const failure = async (work: () => Promise<unknown>): Promise<string | undefined> =>
    await machine.do(work).then(() => undefined, codeOf)
  const copies = (): readonly string[] =>
    readdirSync(join(machine.dataFolder, 'duo')).filter(name => name.startsWith('.'))

  beforeEach(async () => {
    machine = new ModelMachine()
    const releases = join(machine.folder, 'releases')
    v1 = modelRelease(releases, manifest('1'), 1)
    v2 = modelRelease(releases, manifest('2'), 2)
    machine.boot()
    node = await machine.startNode()
    await machine.do(() => node.install(v1))
    writeFileSync(notes(), BEFORE)
  })
  afterEach(() => machine.dispose())

  it('keeps the data of before until the update has proven itself, over a restart of the node', async () => {
    await machine.do(() => node.install(v2))
    expect(copies()).to.deep.equal(['.db.before-g2'])
    expect((await status()).probation?.endsMs).to.be.greaterThan(machine.time.nowMs())
    await reconcileFor(PROBATION_MS / 2)
    node = await machine.startNode()
    expect((await status()).probation).not.to.equal(undefined)
    await reconcileFor(PROBATION_MS)
    const after = await status()
    expect([after.version, after.probation, copies()]).to.deep.equal(['2', undefined, []])
    expect(after.previousVersion).to.equal('1')
    expect(complaints(machine, 'duo', after)).to.deep.equal([])
  })

  for (const [how, program] of [
    ['fails its check', { ...GOOD_PROGRAM, sickAfterMs: 120_000, writes: 'by version 2' }],
    [
      'crashes again and again',
      { ...GOOD_PROGRAM, exits: { afterMs: 60_000, code: 1 }, writes: 'by version 2' },
    ],
  ] as const) {
    it(`takes an update back by itself that ${how} in its probation, with the data of before`, async () => {
      machine.programs.set('duo/web@2', program)
      await machine.do(() => node.install(v2))
      expect(readFileSync(notes(), 'utf8')).to.equal('by version 2')
      await reconcileFor(PROBATION_MS)
      const after = await status()
      expect([after.version, after.health, after.error?.code]).to.deep.equal([
        '1',
        'healthy',
        'UPDATE_ROLLED_BACK',
      ])
      expect(readFileSync(notes(), 'utf8')).to.equal(BEFORE)
      expect(after.setAside?.map(({ set }) => set)).to.deep.equal(['db'])
      const aside = after.setAside?.[0]?.path ?? ''
      expect(readFileSync(join(aside, 'notes'), 'utf8')).to.equal('by version 2')
      expect(await failure(() => node.install(v2))).to.equal('RELEASE_REJECTED')
      expect(complaints(machine, 'duo', after)).to.deep.equal([])
    })
  }

  it('is finished later when the machine goes away under it, and the version is not blamed', async () => {
    machine.time.at(2000, () => void machine.silent.add('systemd'))
    expect(await failure(() => node.install(v2))).to.equal('HOST_COMMAND_TIMEOUT')
    expect((await status()).error?.code).to.not.equal('UPDATE_ROLLED_BACK')
    await reconcileFor(RECONCILE_MS)
    machine.silent.delete('systemd')
    await reconcileFor(10 * RECONCILE_MS)
    const after = await status()
    expect([after.version, after.state, after.error]).to.deep.equal(['2', 'running', undefined])
    expect(complaints(machine, 'duo', after)).to.deep.equal([])
  })

  it('has its time to come up after a boot, however often it is looked at meanwhile', async () => {
    await machine.do(() => node.install(v2))
    machine.programs.set('duo/web@2', { ...GOOD_PROGRAM, healthyAfterMs: 20_000 })
    await machine.reboot()
    node = await machine.startNode()
    for (let looks = 0; looks < 40; looks += 1) {
      await machine.do(() => node.reconcile())
      await machine.time.pass(500)
    }
    await reconcileFor(RECONCILE_MS)
    const { version, health, error } = await status()
    expect([version, health, error]).to.deep.equal(['2', 'healthy', undefined])
  })

  it('is judged by a check that holds for as long as the manifest asks', async () => {
    machine.programs.set('duo/web@2', { ...GOOD_PROGRAM, sickAfterMs: 3000 })
    expect(await failure(() => node.install(v2))).to.equal('UPDATE_ROLLED_BACK')
    expect((await status()).version).to.equal('1')
  })

  it('lets no time of the probation pass while its owner has the app stopped', async () => {
    await machine.do(() => node.install(v2))
    await machine.do(() => node.stop('duo'))
    await reconcileFor(2 * PROBATION_MS)
    expect((await status()).probation).not.to.equal(undefined)
    await machine.do(() => node.start('duo'))
    await reconcileFor(PROBATION_MS + RECONCILE_MS)
    expect((await status()).probation).to.equal(undefined)
  })

  it('goes back with the data of before while it is on probation, and with the present after it', async () => {
    machine.programs.set('duo/web@2', { ...GOOD_PROGRAM, writes: 'by version 2' })
    await machine.do(() => node.install(v2))
    await reconcileFor(PROBATION_MS + RECONCILE_MS)
    await machine.do(() => node.rollback('duo'))
    expect([(await status()).version, (await status()).error]).to.deep.equal(['1', undefined])
    expect(readFileSync(notes(), 'utf8')).to.equal('by version 2')
  })

  it('stays at a version after which nothing older runs, also when that is not healthy', async () => {
    const final = modelRelease(join(machine.folder, 'releases'), manifest('3', 'rollback: none'), 3)
    expect(await failure(() => node.install(final))).to.equal('CONSENT_NEEDED')
    await machine.do(() => node.approve('duo'))
    machine.programs.set('duo/web@3', {
      ...GOOD_PROGRAM,
      healthyAfterMs: Number.POSITIVE_INFINITY,
      writes: 'by version 3',
    })
    expect(await failure(() => node.install(final))).to.equal('APP_UNHEALTHY')
    expect((await status()).version).to.equal('3')
    expect(await failure(() => node.rollback('duo'))).to.equal('ROLLBACK_IMPOSSIBLE')
    await machine.do(() => node.rollback('duo', { isForced: true }))
    expect((await status()).version).to.equal('1')
  })

  it('goes back to its settings before when it does not run with new ones', async () => {
    const withSetting =
      `${manifest('2')}config: { mode: { type: string, default: calm } }\n`.replace(
        'env: {',
        'env: { MODE: "${config.mode}",',
      )
    const release = modelRelease(join(machine.folder, 'releases'), withSetting, 2)
    await machine.do(() => node.install(release))
    machine.programs.set('duo/web@2', {
      ...GOOD_PROGRAM,
      healthyAfterMs: Number.POSITIVE_INFINITY,
    })
    expect(await failure(() => node.configure('duo', { mode: 'wild' }))).to.equal(
      'UPDATE_ROLLED_BACK',
    )
    machine.programs.delete('duo/web@2')
    const [mode] = await machine.do(() => node.settings('duo'))
    expect(mode).to.include({ name: 'mode', value: 'calm', isDefault: true })
    const after = await status()
    expect([after.version, after.previousVersion]).to.deep.equal(['2', '1'])
    await machine.do(() => node.configure('duo', { mode: 'wild' }))
    expect((await machine.do(() => node.settings('duo')))[0]?.value).to.equal('wild')
  })
})

describe('what is kept of an app', () => {
  let machine: ModelMachine
  let node: Orchestrator
  let v1: VerifiedRelease

  const secrets = (): string => join(machine.folder, 'state/secrets/duo')
  const kept = (name: string): string => readFileSync(join(secrets(), name), 'utf8')
  const failure = async (work: () => Promise<unknown>): Promise<string | undefined> =>
    await machine.do(work).then(() => undefined, codeOf)

  beforeEach(async () => {
    machine = new ModelMachine()
    v1 = modelRelease(join(machine.folder, 'releases'), manifest('1'), 1)
    machine.boot()
    node = await machine.startNode()
    await machine.do(() => node.install(v1))
  })
  afterEach(() => machine.dispose())

  it('is found byte for byte by a new install', async () => {
    writeFileSync(join(machine.dataFolder, 'duo/db/notes'), BEFORE)
    const before = [kept('token'), kept('fixed')]
    await machine.do(() => node.uninstall('duo'))
    expect([...machine.storage.secrets.keys()], 'nothing is left in Podman').to.deep.equal([])
    await machine.do(() => node.install(v1))
    expect(readFileSync(join(machine.dataFolder, 'duo/db/notes'), 'utf8')).to.equal(BEFORE)
    expect([kept('token'), kept('fixed')]).to.deep.equal(before)
    expect([...machine.storage.secrets.values()].sort()).to.deep.equal(
      [`Bearer ${before[0]}`, before[1]].sort(),
    )
  })

  it('gets a new secret only where the manifest allows it, here and in Podman', async () => {
    const before = kept('token')
    await machine.do(() => node.rotate('duo', 'token'))
    expect(kept('token')).not.to.equal(before)
    expect([...machine.storage.secrets.values()]).to.include(`Bearer ${kept('token')}`)
    expect(readdirSync(secrets()).sort()).to.deep.equal(['.given.json', 'fixed', 'token'])
    expect(await failure(() => node.rotate('duo', 'fixed'))).to.equal('ROTATION_REFUSED')
    expect(await failure(() => node.rotate('duo', 'tokn'))).to.equal('ROTATION_REFUSED')
    await machine.do(() => node.stop('duo'))
    expect(await failure(() => node.rotate('duo', 'token'))).to.equal('ROTATION_REFUSED')
  })

  it('has its secrets back from Podman when their folder was lost, and never makes new ones', async () => {
    const before = [kept('token'), kept('fixed')]
    rmSync(secrets(), { recursive: true })
    const v2 = modelRelease(join(machine.folder, 'releases'), manifest('2'), 2)
    await machine.do(() => node.install(v2))
    expect([kept('token'), kept('fixed')]).to.deep.equal(before)
  })

  it('is listed and deleted by a purge, which refuses an app that is installed', async () => {
    expect(await failure(() => node.purge('duo'))).to.equal('APP_INSTALLED')
    await machine.do(() => node.uninstall('duo'))
    const retained = await machine.do(() => node.retained('duo'))
    expect(retained.data.map(({ name }) => name)).to.deep.equal(['db', 'media'])
    expect(retained.secrets).to.deep.equal(['fixed', 'token'])
    await machine.do(() => node.purge('duo'))
    expect(existsSync(join(machine.dataFolder, 'duo'))).to.equal(false)
    expect(existsSync(secrets())).to.equal(false)
    expect(await machine.do(() => node.apps())).to.deep.equal([])
    expect(await failure(() => node.purge('duo'))).to.equal('APP_NOT_INSTALLED')
  })
})
