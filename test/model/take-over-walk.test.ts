/**
 * Cuts the power, or kills the node, at every single effect of an adoption and of a take-over that works or fails.
 * Whatever comes between: one program runs on the data, never two, and the data is as it was.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SignedManifest, VerifiedRelease } from '../../catalog/index.ts'
import type { Orchestrator } from '../../orchestrator/index.ts'
import type { AppRecord, Generation } from '../../orchestrator/record.ts'
import type { Cut } from '../support/orchestrator/model/life.ts'
import type { ContainerDefinition } from '../support/orchestrator/model/unit-files.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { readRecord } from '../support/orchestrator/owner-view.ts'

const MANIFEST = `
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
data: { db: {} }
components:
  db:
    image: a
    mounts: [{ data: db, path: /data }]
    health: { exec: [ready], startBudget: 2m }
    stop: { grace: 60s }
  web:
    image: a
    ports: [{ container: 80, host: 8080 }]
    dependsOn: { db: { condition: healthy } }
    health: { http: { port: 8080 }, startBudget: 1m }
    stop: { grace: 5s }
adopt: { db: [old-db], web: [old-web] }
`
const NOTES = 'what the owner wrote'
const RECONCILE_MS = 15_000
const RECONCILES = 6
const EFFECTS_MAX = 300
const DAY_MS = 86_400_000

const definition = (name: string, over: Partial<ContainerDefinition>): ContainerDefinition => ({
  ...{ name, imageId: 'f'.repeat(64), networkUnits: [], secrets: [], password: undefined },
  ...{ folders: [], ports: [], labels: {}, waitsForHealth: false, graceMs: 10_000 },
  ...over,
})

const oldData = (machine: ModelMachine): string => join(machine.folder, 'srv/postgres')

function runOld(machine: ModelMachine): void {
  const folder = oldData(machine)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'notes'), NOTES)
  for (const [name, over] of [
    ['old-db', { folders: [folder] }],
    ['old-web', { ports: [8080] }],
  ] as const) {
    machine.runBare({
      ...{ name, status: 'running', isWell: true, exitCode: 0, labels: {} },
      ...{ restartPolicy: 'always', definition: definition(name, over) },
    })
  }
}

describe('adoption and take-over at every effect', function () {
  this.timeout(120_000)
  let shop: ModelMachine
  let release: VerifiedRelease

  before(() => {
    shop = new ModelMachine()
    release = modelRelease(join(shop.folder, 'blobs'), MANIFEST, 1)
  })
  after(() => shop.dispose())

  const adopt = (node: Orchestrator, isDryRun = false) =>
    node.adopt(
      { ...release, manifest: release.manifest as SignedManifest },
      { named: new Map(), isDryRun },
    )

  const running = ({ storage }: ModelMachine): readonly string[] =>
    [...storage.containers.values()]
      .filter(({ status }) => status === 'running')
      .map(({ name }) => name)
      .sort()

  /** `old` or `new`, when exactly that runs and everything else is as it must be then. */
  async function verdict(machine: ModelMachine, node: Orchestrator): Promise<string> {
    const record = readRecord(machine, 'duo')
    expect(machine.violations).to.deep.equal([])
    expect(readFileSync(join(oldData(machine), 'notes'), 'utf8')).to.equal(NOTES)
    expect(record?.operation, 'an operation that never ended').to.equal(undefined)
    const names = [...machine.storage.containers.keys()].sort()
    const status = (await machine.do(() => node.apps())).find(({ id }) => id === 'duo')
    if (record?.adopted !== undefined || record === undefined) {
      expect(names).to.deep.equal(['old-db', 'old-web'])
      expect(running(machine)).to.deep.equal(names)
      for (const name of names) {
        expect(machine.storage.containers.get(name)?.restartPolicy).to.equal('always')
      }
      if (status !== undefined) expect(status.state).to.equal('running')
      return 'old'
    }
    expect(running(machine)).to.deep.equal(['app-duo_db', 'app-duo_web'])
    expect(names.filter(name => name.startsWith('old-'))).to.deep.equal([
      'old-db.pre-takeover',
      'old-web.pre-takeover',
    ])
    expect([status?.state, status?.health]).to.deep.equal(['running', 'healthy'])
    return 'new'
  }

  async function settle(machine: ModelMachine): Promise<Orchestrator> {
    const node = await machine.startNode()
    for (let pass = 0; pass < RECONCILES; pass += 1) {
      await machine.time.pass(RECONCILE_MS)
      await machine.do(() => node.reconcile())
    }
    return node
  }

  /** @returns how the walk ended at each effect, `undefined` once there is no such effect. */
  async function cutAt(
    index: number,
    cut: Cut,
    prepare: (node: Orchestrator, machine: ModelMachine) => Promise<unknown>,
    act: (node: Orchestrator) => Promise<unknown>,
  ): Promise<string | undefined> {
    const machine = new ModelMachine()
    try {
      runOld(machine)
      machine.boot()
      const node = await machine.startNode()
      await machine.do(() => prepare(node, machine))
      const effect = await machine.cutDuring(index, cut, () => act(node))
      if (effect === undefined) return undefined
      if (cut === 'power') machine.boot()
      try {
        return await verdict(machine, await settle(machine))
      } catch (error) {
        throw new Error(`${cut} before effect ${index} (${effect}): ${String(error)}`, {
          cause: error,
        })
      }
    } finally {
      machine.dispose()
    }
  }

  async function walk(
    cut: Cut,
    prepare: (node: Orchestrator, machine: ModelMachine) => Promise<unknown>,
    act: (node: Orchestrator) => Promise<unknown>,
  ): Promise<ReadonlySet<string>> {
    const ends = new Set<string>()
    for (let index = 0; index < EFFECTS_MAX; index += 1) {
      const end = await cutAt(index, cut, prepare, act)
      if (end === undefined) return ends
      ends.add(end)
    }
    throw new Error('the walk does not end')
  }

  const fails = async (node: Orchestrator, machine: ModelMachine): Promise<void> => {
    await adopt(node)
    machine.programs.set('duo/web', {
      ...{ healthyAfterMs: Number.POSITIVE_INFINITY, endsAfterMs: 100, endCode: 0 },
      exits: { afterMs: 300, code: 1 },
    })
  }

  for (const cut of ['power', 'kill'] as const) {
    it(`claims the containers or does not, and never touches them (${cut})`, async () => {
      expect([
        ...(await walk(
          cut,
          async () => {},
          node => adopt(node),
        )),
      ]).to.deep.equal(['old'])
    })
    it(`ends with the new units or the old containers, never with both (${cut})`, async () => {
      const ends = await walk(
        cut,
        node => adopt(node),
        node => node.takeOver(release),
      )
      expect([...ends].sort()).to.deep.equal(['new', 'old'])
    })
    it(`ends with the old containers when the new units do not get healthy (${cut})`, async () => {
      const act = (node: Orchestrator) => node.takeOver(release).catch(() => undefined)
      expect([...(await walk(cut, fails, act))]).to.deep.equal(['old'])
    })
  }

  it('removes what was replaced after seven days, one container per pass, and keeps the data', async () => {
    const machine = new ModelMachine()
    runOld(machine)
    const node = await machine.startNode()
    await machine.do(() => adopt(node))
    await machine.do(() => node.takeOver(release))
    const left = async (passMs: number): Promise<readonly string[]> => {
      await machine.time.pass(passMs)
      await machine.do(() => node.reconcile())
      return [...machine.storage.containers.keys()].filter(name => name.startsWith('old-'))
    }
    expect(await left(6 * DAY_MS)).to.have.length(2)
    expect(await left(DAY_MS)).to.have.length(1)
    expect(await left(RECONCILE_MS)).to.deep.equal([])
    expect(readFileSync(join(oldData(machine), 'notes'), 'utf8')).to.equal(NOTES)
    expect(readRecord(machine, 'duo')?.aside).to.equal(undefined)
    machine.dispose()
  })

  it('finds its own units when its state was lost: same containers, same secrets, nothing restarted', async () => {
    const machine = new ModelMachine()
    machine.boot()
    const text = MANIFEST.replace('data:', 'secrets: { pw: { generate: { kind: hex } } }\ndata:')
    const withSecret = modelRelease(
      join(shop.folder, 'blobs'),
      text.replace('mounts:', 'env: { PW: "x-${secrets.pw}" }\n    mounts:'),
      1,
    )
    const node = await machine.startNode()
    await machine.do(() => node.install(withSecret))
    const before = readRecord(machine, 'duo')
    const secret = readFileSync(join(machine.folder, 'state/secrets/duo/pw'), 'utf8')
    const containers = [...machine.storage.containers.values()]
    rmSync(join(machine.folder, 'state'), { recursive: true })
    const again = await machine.startNode()
    machine.effects.arm(undefined, () => {})
    await machine.do(() => again.install(withSecret))
    await machine.do(() => again.reconcile())
    // What the owner had set is not in the units in a form that could be read back.
    const { config: _, committed, ...rest } = before as AppRecord
    const { config: _c, ...generation } = committed as Generation
    expect(readRecord(machine, 'duo')).to.deep.equal({ ...rest, committed: generation })
    expect(readFileSync(join(machine.folder, 'state/secrets/duo/pw'), 'utf8')).to.equal(secret)
    expect([...machine.storage.containers.values()]).to.deep.equal(containers)
    expect(machine.effects.trail.filter(each => /^(systemd|podman): /.test(each))).to.deep.equal([])
    machine.dispose()
  })

  it('stops, starts and lets go of adopted containers, and refuses to update or uninstall them', async () => {
    const machine = new ModelMachine()
    runOld(machine)
    const node = await machine.startNode()
    await machine.do(() => adopt(node))
    await machine.do(() => node.stop('duo'))
    expect(running(machine)).to.deep.equal([])
    for (let pass = 0; pass < RECONCILES; pass += 1) await machine.do(() => node.reconcile())
    expect(running(machine)).to.deep.equal([])
    expect((await machine.do(() => node.apps()))[0]?.state).to.equal('stopped')
    await machine.do(() => node.start('duo'))
    expect(running(machine)).to.deep.equal(['old-db', 'old-web'])
    const refusal = async (work: () => Promise<unknown>): Promise<unknown> =>
      await machine.do(work).catch((error: { code: string }) => error.code)
    const next = modelRelease(join(shop.folder, 'blobs'), MANIFEST.replace('"1"', '"2"'), 2)
    expect(await refusal(() => node.install(next))).to.equal('APP_ADOPTED')
    expect(await refusal(() => node.uninstall('duo'))).to.equal('APP_ADOPTED')
    await machine.do(() => node.letGo('duo'))
    expect(readRecord(machine, 'duo')).to.equal(undefined)
    expect(running(machine)).to.deep.equal(['old-db', 'old-web'])
    machine.dispose()
  })
})
