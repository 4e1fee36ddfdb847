/** Cuts the power, or kills the node, at every single effect of every operation, and looks at what the next start makes of it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { Orchestrator } from '../../orchestrator/index.ts'
import type { Cut } from '../support/orchestrator/model/life.ts'
import { GOOD_PROGRAM } from '../support/orchestrator/model/program.ts'
import { duoManifest } from '../support/orchestrator/model-apps.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { complaints, treeHash } from '../support/orchestrator/owner-view.ts'

interface Story {
  readonly name: string
  before?(node: Orchestrator, machine: ModelMachine): Promise<unknown>
  act(node: Orchestrator): Promise<unknown>
  /** How it ends when nothing comes between. */
  readonly end: string
  /** What the owner accepts beside that after a cut. */
  readonly mayBe: readonly string[]
  /** What the owner's file says in the end; default: what it said, and nothing else of the data changed either. */
  notes?(found: string): string | undefined
}

const NOTES = 'what the owner wrote'
const notesOf = (machine: ModelMachine): string => join(machine.dataFolder, 'duo/db/notes')
const write = (machine: ModelMachine): void => {
  mkdirSync(join(machine.dataFolder, 'duo/db'), { recursive: true })
  writeFileSync(notesOf(machine), NOTES)
}

/** Whatever was interrupted is finished by then. */
const RECONCILES_MAX = 6
/** Without anything to do, one after the other. */
const RECONCILES_TO_STAY = 2
const RECONCILE_MS = 15_000
const WITHOUT_NODE_MS = 60_000
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
    end: 'running 1',
    mayBe: ['failed ', 'none'],
  },
  {
    name: 'update',
    before: installFirst,
    act: node => node.install(v2),
    end: 'running 2',
    mayBe: ['running 1'],
  },
  {
    name: 'update of a stopped app',
    async before(node) {
      await node.install(v1)
      await node.stop('duo')
    },
    act: node => node.install(v2),
    end: 'stopped 2',
    mayBe: ['stopped 1'],
  },
  {
    name: 'update that is taken back',
    async before(node, machine) {
      await node.install(v1)
      machine.programs.set('duo/db@2', { ...GOOD_PROGRAM, writes: 'what a bad version wrote' })
      machine.programs.set('duo/web@2', {
        ...{ healthyAfterMs: Number.POSITIVE_INFINITY, endsAfterMs: 100, endCode: 0 },
        exits: { afterMs: 300, code: 1 },
      })
    },
    act: node => node.install(v2),
    end: 'running 1',
    mayBe: [],
  },
  {
    name: 'going back by the owner',
    async before(node, machine) {
      await node.install(v1)
      write(machine)
      machine.programs.set('duo/db@2', { ...GOOD_PROGRAM, writes: 'what a bad version wrote' })
      await node.install(v2)
    },
    act: node => node.rollback('duo', {}),
    end: 'running 1',
    mayBe: ['running 2'],
    notes: found => (found === 'running 1' ? NOTES : 'what a bad version wrote'),
  },
  {
    name: 'stop',
    before: installFirst,
    act: node => node.stop('duo'),
    end: 'stopped 1',
    mayBe: ['running 1'],
  },
  {
    name: 'start',
    async before(node) {
      await node.install(v1)
      await node.stop('duo')
    },
    act: node => node.start('duo'),
    end: 'running 1',
    mayBe: ['stopped 1'],
  },
  {
    name: 'restart',
    before: installFirst,
    act: node => node.restart('duo'),
    end: 'running 1',
    mayBe: [],
  },
  {
    name: 'uninstall',
    before: installFirst,
    act: node => node.uninstall('duo'),
    end: 'retained ',
    mayBe: ['running 1'],
  },
  {
    name: 'reinstall',
    async before(node) {
      await node.install(v1)
      await node.uninstall('duo')
    },
    act: node => node.install(v1),
    end: 'running 1',
    mayBe: ['retained ', 'failed '],
  },
  {
    name: 'other settings',
    before: installFirst,
    act: node => node.configure('duo', { mode: 'wild' }),
    end: 'running 1',
    mayBe: [],
  },
  {
    name: 'a new secret',
    before: installFirst,
    act: node => node.rotate('duo', 'token'),
    end: 'running 1',
    mayBe: [],
  },
  {
    name: 'a new secret that the data does not go with',
    before: installFirst,
    act: node => node.rotate('duo', 'password'),
    end: 'running 1',
    mayBe: [],
  },
  {
    name: 'purge',
    async before(node, machine) {
      await node.install(v1)
      write(machine)
      await node.uninstall('duo')
    },
    act: node => node.purge('duo'),
    end: 'none',
    mayBe: ['retained '],
    notes: found => (found === 'none' ? undefined : NOTES),
  },
]

/** True when the story ended before the effect of this index. */
async function walkTo(story: Story, cut: Cut, index: number, isAtOnce = false): Promise<boolean> {
  const machine = new ModelMachine()
  try {
    machine.boot()
    const node = await machine.startNode()
    await machine.do(async () => await story.before?.(node, machine))
    if (story.before !== undefined && story.notes === undefined) write(machine)
    const before = treeHash(join(machine.dataFolder, 'duo/db'))
    const missed = await machine.cutDuring(index, cut, () => story.act(node))
    if (missed === undefined) machine.cut(cut)
    const at = `${story.name}, ${cut} before ${index}: ${missed ?? 'the end'}`
    await checkAfter(machine, story, {
      ...{ cut, at, before, isAtOnce },
      isWhole: missed === undefined,
    })
    return missed === undefined
  } finally {
    machine.dispose()
  }
}

interface Ending {
  readonly cut: Cut
  readonly at: string
  readonly before: string
  readonly isWhole: boolean
  readonly isAtOnce: boolean
}

async function checkAfter(
  machine: ModelMachine,
  story: Story,
  { cut, at, before, isWhole, isAtOnce }: Ending,
): Promise<void> {
  if (cut === 'power') {
    machine.boot()
    // What is enabled has to find its own way while no node is there yet.
    if (!isAtOnce) await machine.time.pass(WITHOUT_NODE_MS)
  }
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
  const accepted = isWhole ? [story.end] : [story.end, ...story.mayBe]
  expect(found, at).to.be.oneOf(accepted)
  if (status !== undefined) expect(complaints(machine, 'duo', status), at).to.deep.equal([])
  if (story.notes !== undefined) {
    const notes = existsSync(notesOf(machine)) ? readFileSync(notesOf(machine), 'utf8') : undefined
    expect(notes, at).to.equal(story.notes(found))
  } else if (story.before !== undefined) {
    expect(treeHash(join(machine.dataFolder, 'duo/db')), at).to.equal(before)
  }
}

describe('a power cut at every step', function () {
  this.timeout(60_000)
  before(() => {
    folder = new ModelMachine()
    v1 = modelRelease(join(folder.folder, 'releases'), duoManifest('1'), 1)
    v2 = modelRelease(join(folder.folder, 'releases'), duoManifest('2'), 2)
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

  for (const story of stories.filter(({ name }) => ['install', 'update', 'stop'].includes(name))) {
    it(`${story.name}: the power goes, and the node is back before the apps`, async () => {
      let index = 0
      while (!(await walkTo(story, 'power', index, true))) index += 1
    })
  }
})
