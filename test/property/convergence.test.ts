/** From whatever is found to what the owner wants, in few passes, and then nothing more: pure first, then on the model machine. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { UnitState } from '../../orchestrator/ports.ts'
import type { AppRecord } from '../../orchestrator/record.ts'
import { type Found, planRepairs, type Repair } from '../../orchestrator/repairs.ts'
import { appStatus } from '../../orchestrator/status.ts'
import { duoManifest } from '../support/orchestrator/model-apps.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'
import { complaints } from '../support/orchestrator/owner-view.ts'
import { generation, installed, unit, units } from '../support/orchestrator/records.ts'

const PASSES_MAX = 4

const unitState = fc
  .record({
    active: fc.constantFrom(
      ...['active', 'inactive', 'failed', 'activating', 'deactivating', 'not-found', 'odd'],
    ),
    restarts: fc.nat(9),
    result: fc.constantFrom('success', 'exit-code', 'oom-kill', 'timeout', 'signal', 'odd'),
  })
  .map(({ active, restarts, result }): UnitState => ({ ...unit(active, restarts), result }))

const DUO_NETWORK = { name: 'app-duo', unit: 'app-duo-network.service' }
const leftover = {
  ...{ name: 'app-duo_db', health: undefined, exitCode: 1 },
  labels: { 'app.id': 'duo' },
}
const found: fc.Arbitrary<Found> = fc
  .record({
    db: unitState,
    web: unitState,
    network: unitState,
    statuses: fc.array(fc.constantFrom('created', 'exited', 'removing'), { maxLength: 2 }),
    networks: fc.subarray(['app-duo']),
    areUnitsDifferent: fc.boolean(),
    isEnabled: fc.boolean(),
  })
  .map(({ db, web, network, statuses, ...rest }) => ({
    ...rest,
    units: new Map([...units(db, web), [DUO_NETWORK.unit, network]]),
    containers: statuses.map(status => ({ ...leftover, status })),
    ...{ isHeld: false, isBlocked: false },
  }))

const operation = fc.constantFrom('start' as const, 'stop' as const, 'restart' as const, undefined)
const record: fc.Arbitrary<AppRecord> = fc
  .record({
    desired: fc.constantFrom('running' as const, 'stopped' as const),
    isThere: fc.boolean(),
    retained: fc.boolean(),
    kind: operation,
  })
  .map(({ desired, isThere, retained, kind }) => {
    const { committed: _, ...rest } = installed({ desired, retained })
    const spec = { ...generation().spec, networks: [DUO_NETWORK] }
    return {
      ...rest,
      ...(isThere ? { committed: generation({ spec }) } : {}),
      ...(kind === undefined ? {} : { operation: { kind, startedMs: 0 } }),
    }
  })

const rest = unit('inactive')
const up = unit('active')

/** The network unit makes its network when it is started, and not when it counts as up. */
function start(f: Found): Found {
  const isMade = f.networks.length > 0
  const wasUp = f.units.get(DUO_NETWORK.unit)?.active === 'active'
  if (!isMade && wasUp) return f
  const all = new Map([...units(up, up), [DUO_NETWORK.unit, up]])
  return { ...f, units: all, networks: ['app-duo'], containers: [] }
}

/** What a repair makes of the machine, when the machine does as it is told. */
const effects: { readonly [K in Repair]: (found: Found) => Found } = {
  'rewrite-units': f => ({ ...f, areUnitsDifferent: false }),
  reload: f => f,
  enable: f => ({ ...f, isEnabled: true }),
  disable: f => ({ ...f, isEnabled: false }),
  stop: f => ({ ...f, units: new Map([...f.units, ...units(rest, rest)]) }),
  'remove-containers': f => ({ ...f, containers: [] }),
  // What joins a network ends with its unit.
  'end-networks': f => ({
    ...f,
    units: new Map([...units(rest, rest), [DUO_NETWORK.unit, rest]]),
  }),
  start,
}

/** Between two passes whatever is on its way arrives. */
function settle(f: Found): Found {
  const arrived = [...f.units].map(([name, state]): [string, UnitState] => {
    if (state.active === 'activating' || state.active === 'odd') return [name, up]
    return [name, state.active === 'deactivating' ? rest : state]
  })
  return { ...f, units: new Map(arrived) }
}

describe('plan and projection', () => {
  it('reach what the owner wants from anything that can be found, and then stay', () => {
    fc.assert(
      fc.property(record, found, (app, first) => {
        let now = first
        let passes = 0
        for (; passes < PASSES_MAX; passes += 1) {
          const repairs = planRepairs(app, now)
          if (app.desired === 'stopped') expect(repairs).to.not.include.members(['start'])
          for (const repair of repairs) now = effects[repair](now)
          now = settle(now)
        }
        expect(planRepairs(app, now)).to.deep.equal([])
        if (app.committed === undefined || app.retained || app.operation !== undefined) return
        // What is up is healthy: the look at its containers and ports says so.
        const containers = [{ ...leftover, status: 'running', health: 'healthy' as const }]
        const observed = { ...now, containers, answering: new Set(['web']) }
        expect(appStatus(app, observed).state).to.equal(app.desired)
      }),
    )
  })

  it('name a state for anything that can be found, and never call a stopped app anything else', () => {
    fc.assert(
      fc.property(record, found, (app, now) => {
        const { state, components } = appStatus(app, { ...now, answering: new Set() })
        expect(state).to.be.a('string').that.is.not.equal('')
        const isAtRest = app.committed !== undefined && !app.retained && app.operation === undefined
        const isDown = components.every(each => ['stopped', 'failed'].includes(each.state))
        if (
          isAtRest &&
          app.desired === 'stopped' &&
          isDown &&
          components.every(c => c.state === 'stopped')
        ) {
          expect(state).to.equal('stopped')
        }
        if (isAtRest && app.desired === 'running' && isDown) expect(state).to.equal('failed')
      }),
    )
  })
})

type Disturbance = (machine: ModelMachine) => void
const home = (machine: ModelMachine, name: string): string => join(machine.folder, 'home', name)
const disturbances: readonly Disturbance[] = [
  m => m.manager.stop(['app-duo.target']),
  m => m.manager.start(['app-duo.target']),
  m => m.manager.kill('app-duo_db.service'),
  m => m.manager.stop(['app-duo-network.service']),
  m => void m.storage.networks.delete('app-duo'),
  m => rmSync(home(m, 'quadlet/app-duo_web.container'), { force: true }),
  m => writeFileSync(home(m, 'user/app-duo.target'), '[Unit]\nDescription=other\n'),
  m => rmSync(home(m, 'user/default.target.wants/app-duo.target'), { force: true }),
]

describe('reconciling on the model machine', function () {
  this.timeout(30_000)

  it('brings an app back from any disturbances to what its owner wants, and then changes nothing', async () => {
    const tries = fc.record({
      kinds: fc.array(fc.nat(disturbances.length - 1), { minLength: 1, maxLength: 5 }),
      isStopped: fc.boolean(),
      isRebooted: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(tries, async ({ kinds, isStopped, isRebooted }) => {
        const machine = new ModelMachine()
        try {
          machine.boot()
          let node = await machine.startNode()
          const release = modelRelease(join(machine.folder, 'releases'), duoManifest('1'), 1)
          await machine.do(() => node.install(release))
          if (isStopped) await machine.do(() => node.stop('duo'))
          machine.cut('kill')
          for (const kind of kinds) disturbances[kind]?.(machine)
          if (isRebooted) await machine.reboot()
          node = await machine.startNode()
          for (let pass = 0; pass < PASSES_MAX; pass += 1) {
            await machine.time.pass(30_000)
            await machine.do(() => node.reconcile())
          }
          await machine.time.pass(60_000)
          machine.effects.arm(undefined, () => {})
          await machine.do(() => node.reconcile())
          const [status] = await machine.do(() => node.apps())
          expect(status && complaints(machine, 'duo', status)).to.deep.equal([])
          expect(machine.effects.trail).to.deep.equal([])
        } finally {
          machine.dispose()
        }
      }),
      { numRuns: 30 },
    )
  })
})
