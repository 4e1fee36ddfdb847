/** What becomes of apps on the model machine when nobody watches: the owner's will, repairs, and what is told to the owner. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { AppStatus, Orchestrator } from '../../orchestrator/index.ts'
import { codeOf } from '../../src/core/errors.ts'
import { GOOD_PROGRAM } from '../support/orchestrator/model/program.ts'
import { baseManifest, duoManifest, leafManifest } from '../support/orchestrator/model-apps.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { complaints } from '../support/orchestrator/owner-view.ts'

const RECONCILE_MS = 30_000
const release = (text: string, seq = 1): VerifiedRelease =>
  modelRelease(join(machine.folder, 'releases'), text, seq)

let machine: ModelMachine
let node: Orchestrator

const statusOf = async (id: string): Promise<AppStatus | undefined> =>
  (await machine.do(() => node.apps())).find(app => app.id === id)
const stateOf = async (id: string): Promise<string | undefined> => (await statusOf(id))?.state
const codesOf = async (id: string): Promise<readonly string[]> =>
  (await statusOf(id))?.findings.map(({ code }) => code) ?? []
const complain = async (id: string): Promise<readonly string[]> => {
  const status = await statusOf(id)
  return status === undefined ? [`no ${id}`] : complaints(machine, id, status)
}
const reconcile = async (count = 1): Promise<void> => {
  for (let pass = 0; pass < count; pass += 1) {
    await machine.do(() => node.reconcile())
    await machine.time.pass(RECONCILE_MS)
  }
}
const unitFile = (name: string): string => join(machine.folder, 'home/quadlet', name)

beforeEach(async () => {
  machine = new ModelMachine()
  machine.boot()
  node = await machine.startNode()
})
afterEach(() => machine.dispose())

describe("the owner's will", () => {
  it('keeps an app stopped through reconciles, a restart of the node, a reboot and every update', async () => {
    await machine.do(() => node.install(release(duoManifest('1'))))
    await machine.do(() => node.install(release(duoManifest('1', 'other', 8090))))
    await machine.do(() => node.stop('duo'))
    await reconcile(10)
    expect(await complain('duo'), 'ten reconciles').to.deep.equal([])
    machine.cut('kill')
    node = await machine.startNode()
    await reconcile()
    expect(await complain('duo'), 'a restart of the node').to.deep.equal([])
    await machine.reboot()
    node = await machine.startNode()
    await reconcile()
    expect(await complain('duo'), 'a reboot').to.deep.equal([])
    await machine.do(() => node.install(release(duoManifest('2', 'other', 8090), 2)))
    await machine.do(() => node.install(release(duoManifest('2'), 2)))
    await reconcile()
    expect(await complain('duo'), 'updates').to.deep.equal([])
    expect([await stateOf('duo'), await stateOf('other')]).to.deep.equal(['stopped', 'running'])
  })

  it('stops again what somebody else started', async () => {
    await machine.do(() => node.install(release(duoManifest('1'))))
    await machine.do(() => node.stop('duo'))
    machine.manager.start(['app-duo.target'])
    await machine.time.pass(60_000)
    await reconcile()
    expect(await complain('duo')).to.deep.equal([])
  })

  it('ends a stop in time, also when a program ignores the signal, and says so', async () => {
    machine.programs.set('duo/web', { ...GOOD_PROGRAM, endsAfterMs: Number.POSITIVE_INFINITY })
    await machine.do(() => node.install(release(duoManifest('1'))))
    const beganMs = machine.time.nowMs()
    await machine.do(() => node.stop('duo'))
    expect(machine.time.nowMs() - beganMs).to.be.below(20_000)
    expect([await stateOf('duo'), await codesOf('duo')]).to.deep.equal(['stopped', ['stop.killed']])
  })
})

describe('repairs', () => {
  beforeEach(async () => {
    await machine.do(() => node.install(release(duoManifest('1'))))
  })

  it('puts back unit files that were edited or removed, and what was removed behind its back', async () => {
    appendFileSync(unitFile('app-duo_web.container'), '[Service]\nNice=3\n')
    rmSync(unitFile('app-duo_db.container'))
    await reconcile()
    machine.manager.stop(['app-duo.target'])
    await machine.time.pass(1000)
    machine.storage.networks.delete('app-duo')
    await reconcile(2)
    expect(await complain('duo')).to.deep.equal([])
  })

  it('acts on nothing when a read fails, shows what was last known, and says so after three', async () => {
    machine.silent.add('podman')
    machine.effects.arm(undefined, () => {})
    await reconcile(2)
    expect(node.findings()).to.deep.equal([])
    await reconcile()
    expect(machine.effects.trail).to.deep.equal([])
    expect(node.findings().map(({ code }) => code)).to.deep.equal(['podman.unresponsive'])
    const status = await statusOf('duo')
    expect([status?.state, status?.isStale]).to.deep.equal(['running', true])
    machine.silent.delete('podman')
    await reconcile()
    expect(node.findings()).to.deep.equal([])
  })

  it('tells of containers nobody recorded and of the drop-ins of others, and touches neither', async () => {
    const labels = { 'app.id': 'duo' }
    const stray = { name: 'app-duo_old', status: 'exited', isWell: undefined, exitCode: 0 } as const
    machine.storage.containers.set('app-duo_old', { ...stray, labels, definition: undefined })
    mkdirSync(unitFile('app-duo_web.container.d'))
    mkdirSync(unitFile('container.d'))
    await reconcile()
    expect(await codesOf('duo')).to.have.members(['container.orphan', 'unit.foreign-drop-in'])
    expect(node.findings().map(({ code }) => code)).to.deep.equal(['unit.foreign-drop-in'])
    expect([...machine.storage.containers.keys()]).to.include('app-duo_old')
  })

  it('says what the generator said when systemd does not know a unit after a reload', async () => {
    machine.refusedFiles.set('app-duo_web.service', 'app-duo_web.container: unsupported key')
    machine.refusedFiles.set('app-duo_web.container', 'app-duo_web.container: unsupported key')
    await machine.reboot()
    node = await machine.startNode()
    await reconcile()
    const finding = (await statusOf('duo'))?.findings.find(
      ({ code }) => code === 'quadlet.rejected',
    )
    expect(finding?.evidence).to.deep.equal(['app-duo_web.container: unsupported key'])
  })

  it('leaves an app alone whose record is damaged, and never installs over it', async () => {
    writeFileSync(join(machine.folder, 'state/apps/duo.json'), '{"format":1')
    machine.effects.arm(undefined, () => {})
    await reconcile(2)
    expect(machine.effects.trail).to.deep.equal([])
    const status = await statusOf('duo')
    expect([status?.state, status?.error?.code]).to.deep.equal(['failed', 'RECORD_MALFORMED'])
    expect(await codesOf('duo')).to.deep.equal(['record.malformed'])
    const again = await machine
      .do(() => node.install(release(duoManifest('2'), 2)))
      .catch((error: unknown) => codeOf(error))
    expect(again).to.equal('RECORD_MALFORMED')
  })

  it('tries less and less often what does not help', async () => {
    machine.programs.set('duo/db', { ...GOOD_PROGRAM, exits: { afterMs: 50, code: 1 } })
    machine.storage.images.clear()
    machine.manager.kill('app-duo_db.service')
    await machine.time.pass(5000)
    machine.effects.arm(undefined, () => {})
    await reconcile(20)
    const starts = machine.effects.trail.filter(name => name.startsWith('systemd: start'))
    expect(starts.length).to.be.below(8)
  })
})

describe('how an app ended', () => {
  it('tells memory from crash, and a crash from an orderly end', async () => {
    await machine.do(() => node.install(release(duoManifest('1'))))
    machine.programs.set('duo/web', {
      ...GOOD_PROGRAM,
      exits: { afterMs: 200, code: 137, isOom: true },
    })
    machine.manager.kill('app-duo_web.service')
    await machine.time.pass(45_000)
    expect([await stateOf('duo'), await codesOf('duo')]).to.deep.equal([
      'failed',
      ['app.out-of-memory'],
    ])
  })
})

describe('an app that needs another one', () => {
  it('waits for it without starting it, starts by itself once it is there, and goes on without it', async () => {
    await machine.do(() => node.install(release(baseManifest)))
    await machine.do(() => node.stop('base'))
    await machine.do(() => node.install(release(leafManifest)))
    await reconcile(2)
    expect([await stateOf('leaf'), await codesOf('leaf')]).to.deep.equal([
      'blocked',
      ['need.unmet'],
    ])
    expect(await stateOf('base')).to.equal('stopped')
    await machine.do(() => node.start('base'))
    await reconcile(2)
    expect(await stateOf('leaf')).to.equal('running')
    await machine.do(() => node.stop('base'))
    expect(await codesOf('base')).to.deep.equal(['need.stopped'])
    await reconcile(2)
    expect([await stateOf('base'), await stateOf('leaf')]).to.deep.equal(['stopped', 'running'])
    await machine.reboot()
    node = await machine.startNode()
    await machine.do(() => node.restart('leaf'))
    await reconcile(2)
    expect([await stateOf('base'), await stateOf('leaf')]).to.deep.equal(['stopped', 'blocked'])
  })
})
