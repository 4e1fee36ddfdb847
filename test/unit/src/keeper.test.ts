import { expect } from 'chai'
import type { CatalogEntry, VerifiedRelease } from '../../../catalog/index.ts'
import type { AppStatus } from '../../../orchestrator/index.ts'
import { digestOf } from '../../../src/core/digest.ts'
import { NodeError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { createKeeper, type Keeper } from '../../../src/keeper.ts'
import { createManualClock, type ManualClock, settle } from '../../support/manual-clock.ts'

class Broken extends NodeError<string> {}

/** A little world: a catalog with one app, and an orchestrator that only remembers what it was given. */
interface World {
  readonly keeper: Keeper
  readonly clock: ManualClock
  readonly installed: Map<string, number>
  readonly delivered: number[]
  head: number
  refusal: 'APP_UNKNOWN' | 'CONSENT_REQUIRED' | undefined
  notices: readonly string[]
  stepsBack: { stepsBackFrom?: number }
  readonly terms: { stepsBackFrom?: number | undefined }[]
  /** Releases whose blobs are kept at the moment, and those that were when they were installed. */
  readonly leased: number[]
  readonly leasedAtInstall: number[]
  readonly forgotten: string[]
  /** Whether an update waits for the owner. */
  waiting: boolean
  installFailsWith: Error | undefined
  failWith: Error | undefined
  /** While set, a delivery waits for this promise. */
  gate: Promise<void> | undefined
}

function entryAt(seq: number): CatalogEntry {
  const manifest = { blake3: digestOf(Buffer.from(`${seq}`)) }
  return { app: 'notes', channel: 'stable', seq, version: `${seq}.0.0`, manifest } as CatalogEntry
}

function createWorld(): World {
  const clock = createManualClock()
  const world = {
    clock,
    installed: new Map<string, number>(),
    delivered: [] as number[],
    head: 1,
    refusal: undefined as 'APP_UNKNOWN' | 'CONSENT_REQUIRED' | undefined,
    notices: [] as readonly string[],
    stepsBack: {},
    terms: [] as { stepsBackFrom?: number | undefined }[],
    forgotten: [] as string[],
    waiting: false,
    leased: [] as number[],
    leasedAtInstall: [] as number[],
    installFailsWith: undefined as Error | undefined,
    failWith: undefined as Error | undefined,
    gate: undefined as Promise<void> | undefined,
  }
  const keeper = createKeeper({
    clock,
    log: silentLog,
    wanted: { list: () => [{ id: 'notes', publisher: 'core', channel: 'stable' }] },
    chooser: {
      choose(_app, installed) {
        const considered = { considered: [], notices: world.notices }
        if (world.refusal !== undefined) {
          return { ...considered, choice: { kind: 'none', code: world.refusal, why: 'no' } }
        }
        if (world.head <= (installed?.seq ?? 0)) return { ...considered, choice: { kind: 'keep' } }
        const choice = { kind: 'install', entry: entryAt(world.head), source: 'catalog' } as const
        return { ...considered, choice: { ...choice, ...world.stepsBack } }
      },
    },
    orchestrator: {
      apps: async () =>
        [...world.installed].map(([id, seq]) => {
          const pendingConsent = { version: '2', added: [], removed: [] }
          const status = { id, seq, state: 'running' as const }
          return (world.waiting ? { ...status, pendingConsent } : status) as AppStatus
        }),
      forgetConsent: async id => {
        world.forgotten.push(id)
        world.waiting = false
      },
      install: async (release, options = {}) => {
        world.terms.push(options)
        world.leasedAtInstall.push(...world.leased)
        if (world.installFailsWith !== undefined) throw world.installFailsWith
        world.installed.set(release.entry.app, release.entry.seq)
        return {} as AppStatus
      },
    },
    deliver: async (entry, signal) => {
      world.delivered.push(entry.seq)
      await world.gate
      signal.throwIfAborted()
      if (world.failWith !== undefined) throw world.failWith
      world.leased.push(entry.seq)
      return {
        release: { entry } as VerifiedRelease,
        [Symbol.dispose]: () => world.leased.splice(world.leased.indexOf(entry.seq), 1),
      }
    },
  })
  return Object.assign(world, { keeper })
}

async function kick(world: World): Promise<void> {
  world.keeper.kick()
  await settle()
}

describe('keeper', () => {
  it('keeps the blobs of a release until it is installed, or could not be', async () => {
    const world = createWorld()
    world.installFailsWith = new Broken('IMAGE_LOAD_FAILED', 'no')
    await kick(world)
    expect(world.leasedAtInstall).to.deep.equal([1])
    expect(world.leased).to.deep.equal([])
    world.installFailsWith = undefined
    world.keeper.kickApp('notes')
    await settle()
    expect(world.installed.get('notes')).to.equal(1)
    expect(world.leasedAtInstall).to.deep.equal([1, 1])
    expect(world.leased).to.deep.equal([])
  })

  it('brings a wanted app and then leaves it alone', async () => {
    const world = createWorld()
    await kick(world)
    await kick(world)
    expect(world.installed.get('notes')).to.equal(1)
    expect(world.delivered).to.deep.equal([1])
    expect(world.keeper.state('notes')).to.deep.equal({ phase: 'idle' })
  })

  it('forgets what waited for the owner when the catalog no longer offers it', async () => {
    const world = createWorld()
    await kick(world)
    await kick(world)
    expect(world.forgotten).to.deep.equal([])
    world.waiting = true
    await kick(world)
    expect(world.forgotten).to.deep.equal(['notes'])
  })

  it('moves the app when the catalog moves', async () => {
    const world = createWorld()
    await kick(world)
    world.head = 2
    await kick(world)
    expect(world.installed.get('notes')).to.equal(2)
  })

  it('never brings an older release than the one installed', async () => {
    const world = createWorld()
    world.installed.set('notes', 5)
    await kick(world)
    expect(world.delivered).to.deep.equal([])
  })

  it('waits without an error while the catalog does not list the app', async () => {
    const world = createWorld()
    world.refusal = 'APP_UNKNOWN'
    await kick(world)
    expect(world.keeper.state('notes')).to.deep.equal({ phase: 'waiting' })
  })

  it('says why an app is not brought that the owner has to decide about', async () => {
    const world = createWorld()
    world.refusal = 'CONSENT_REQUIRED'
    await kick(world)
    expect(world.keeper.state('notes')).to.deep.equal({
      phase: 'waiting',
      error: { code: 'CONSENT_REQUIRED', message: 'no' },
    })
  })

  it('passes on what the owner should know, and from which release a step back is signed', async () => {
    const world = createWorld()
    world.notices = ['it was withdrawn']
    world.stepsBack = { stepsBackFrom: 7 }
    await kick(world)
    expect(world.keeper.state('notes')).to.deep.equal({
      phase: 'idle',
      notices: ['it was withdrawn'],
    })
    expect(world.terms[0]).to.include({ stepsBackFrom: 7 })
  })

  it('tries a failed release again after a wait that doubles', async () => {
    const world = createWorld()
    world.failWith = new Broken('IMAGE_MISMATCH', 'not that image')
    await kick(world)
    expect(world.keeper.state('notes').error).to.include({ code: 'IMAGE_MISMATCH' })
    await world.clock.advance(14_999)
    await kick(world)
    expect(world.delivered).to.have.length(1)
    await world.clock.advance(1)
    await kick(world)
    expect(world.delivered).to.have.length(2)
    await world.clock.advance(29_999)
    await kick(world)
    expect(world.delivered).to.have.length(2)
  })

  it('does not wait when the owner asks for the app, or when a newer release is there', async () => {
    const world = createWorld()
    world.failWith = new Broken('IMAGE_MISMATCH', 'not that image')
    await kick(world)
    world.keeper.kickApp('notes')
    expect(world.keeper.state('notes')).to.deep.equal({ phase: 'queued' })
    await settle()
    expect(world.delivered).to.deep.equal([1, 1])
    world.failWith = undefined
    world.head = 2
    await kick(world)
    expect(world.installed.get('notes')).to.equal(2)
  })

  it('runs one delivery of an app at a time, and ends it when the app is abandoned', async () => {
    const world = createWorld()
    const gate = Promise.withResolvers<void>()
    world.gate = gate.promise
    await kick(world)
    await kick(world)
    expect(world.delivered).to.deep.equal([1])
    const abandoned = world.keeper.abandon('notes')
    gate.resolve()
    await abandoned
    expect(world.installed.has('notes')).to.equal(false)
    expect(world.keeper.state('notes')).to.deep.equal({ phase: 'idle' })
  })
})
