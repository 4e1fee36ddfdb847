/** Cuts the power, or kills the node, at every single effect of every operation, and looks at what the next start makes of it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { Orchestrator } from '../../orchestrator/index.ts'
import type { Cut } from '../support/orchestrator/model/life.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { complaints, treeHash } from '../support/orchestrator/owner-view.ts'

const manifest = (version: string): string => `
apiVersion: archy.app/v1
id: duo
version: "${version}"
title: Duo
images: { a: { oci: a } }
secrets: { password: { generate: { kind: hex } } }
data: { db: {} }
components:
  db:
    image: a
    env: { PASSWORD: "\${secrets.password}", VERSION${version}: "${version}-\${secrets.password}" }
    mounts: [{ data: db, path: /data }]
    health: { exec: [ready], startBudget: 2m }
    stop: { grace: 60s }
  web:
    image: a
    ports: [{ container: 80, host: 8080 }]
    dependsOn: { db: { condition: healthy } }
    health: { http: { port: 8080 }, startBudget: 1m }
    stop: { grace: 5s }
`

interface Story {
  readonly name: string
  before?(node: Orchestrator, machine: ModelMachine): Promise<unknown>
  act(node: Orchestrator): Promise<unknown>
  readonly mayBe: readonly string[]
}

/** Whatever was interrupted is finished by then. */
const RECONCILES_MAX = 6
/** Without anything to do, one after the other. */
const RECONCILES_TO_STAY = 2
const RECONCILE_MS = 15_000
/** Far above the longest story; a walk that gets there does not end by itself. */
const EFFECTS_MAX = 300

let folder: ModelMachine
let v1: VerifiedRelease
let v2: VerifiedRelease

const installFirst = (node: Orchestrator): Promise<unknown> => node.install(v1)

const stories: readonly Story[] = [
  {
    name: 'install',
    act: node => node.install(v1),
    mayBe: ['running 1', 'failed ', 'none'],
  },
  {
    name: 'update',
    before: installFirst,
    act: node => node.install(v2),
    mayBe: ['running 1', 'running 2'],
  },
  {
    name: 'update of a stopped app',
    async before(node) {
      await node.install(v1)
      await node.stop('duo')
    },
    act: node => node.install(v2),
    mayBe: ['stopped 1', 'stopped 2'],
  },
  {
    name: 'update that is taken back',
    async before(node, machine) {
      await node.install(v1)
      machine.programs.set('duo/web@2', {
        ...{ healthyAfterMs: Number.POSITIVE_INFINITY, endsAfterMs: 100, endCode: 0 },
        exits: { afterMs: 300, code: 1 },
      })
    },
    act: node => node.install(v2),
    mayBe: ['running 1'],
  },
  {
    name: 'stop',
    before: installFirst,
    act: node => node.stop('duo'),
    mayBe: ['running 1', 'stopped 1'],
  },
  {
    name: 'start',
    async before(node) {
      await node.install(v1)
      await node.stop('duo')
    },
    act: node => node.start('duo'),
    mayBe: ['running 1', 'stopped 1'],
  },
  { name: 'restart', before: installFirst, act: node => node.restart('duo'), mayBe: ['running 1'] },
  {
    name: 'uninstall',
    before: installFirst,
    act: node => node.uninstall('duo'),
    mayBe: ['running 1', 'retained '],
  },
  {
    name: 'reinstall',
    async before(node) {
      await node.install(v1)
      await node.uninstall('duo')
    },
    act: node => node.install(v1),
    mayBe: ['running 1', 'retained ', 'failed '],
  },
]

/** True when the story ended before the effect of this index. */
async function walkTo(story: Story, cut: Cut, index: number): Promise<boolean> {
  const machine = new ModelMachine()
  try {
    machine.boot()
    const node = await machine.startNode()
    await machine.do(async () => await story.before?.(node, machine))
    const userFile = join(machine.dataFolder, 'duo/db/notes')
    if (story.before !== undefined) {
      mkdirSync(join(machine.dataFolder, 'duo/db'), { recursive: true })
      writeFileSync(userFile, 'what the owner wrote')
    }
    const before = treeHash(machine.dataFolder)
    const missed = await machine.cutDuring(index, cut, () => story.act(node))
    if (missed === undefined) machine.cut(cut)
    const at = `${story.name}, ${cut} before ${index}: ${missed ?? 'the end'}`
    await checkAfter(machine, story, cut, at, before)
    return missed === undefined
  } finally {
    machine.dispose()
  }
}

async function checkAfter(
  machine: ModelMachine,
  story: Story,
  cut: Cut,
  at: string,
  before: string,
): Promise<void> {
  if (cut === 'power') machine.boot()
  const node = await machine.startNode()
  let quietCount = 0
  for (let pass = 0; quietCount < RECONCILES_TO_STAY; pass += 1) {
    expect(pass, `${at}: still changing: ${machine.effects.trail}`).to.be.below(RECONCILES_MAX)
    await machine.time.pass(RECONCILE_MS)
    machine.effects.arm(undefined, () => {})
    await machine.do(() => node.reconcile())
    await machine.time.pass(RECONCILE_MS)
    quietCount = machine.effects.trail.length === 0 ? quietCount + 1 : 0
  }
  const [status] = await machine.do(() => node.apps())
  const found = status === undefined ? 'none' : `${status.state} ${status.version}`
  expect(found, at).to.be.oneOf(story.mayBe)
  if (status !== undefined) expect(complaints(machine, 'duo', status), at).to.deep.equal([])
  if (story.before !== undefined) expect(treeHash(machine.dataFolder), at).to.equal(before)
}

describe('a power cut at every step', function () {
  this.timeout(60_000)
  before(() => {
    folder = new ModelMachine()
    v1 = modelRelease(join(folder.folder, 'releases'), manifest('1'), 1)
    v2 = modelRelease(join(folder.folder, 'releases'), manifest('2'), 2)
  })
  after(() => folder.dispose())

  for (const cut of ['power', 'kill'] as const) {
    for (const story of stories) {
      it(`${story.name}: ${cut === 'power' ? 'the power goes' : 'the node is killed'}`, async () => {
        let index = 0
        while (!(await walkTo(story, cut, index))) index += 1
        expect(index).to.be.within(3, EFFECTS_MAX)
      })
    }
  }
})
