import { expect } from 'chai'
import fc from 'fast-check'
import { hopeless, isHealthy, type Observed } from '../../../orchestrator/component-status.ts'
import type { UnitState } from '../../../orchestrator/ports.ts'
import { appStatus } from '../../../orchestrator/status.ts'
import { DUO, generation, installed, unit, units } from '../../support/orchestrator/records.ts'

function observed(db: UnitState, web: UnitState, over: Partial<Observed> = {}): Observed {
  return { units: units(db, web), containers: [], answering: new Set(), ...over }
}

const healthyDb = {
  name: 'app-duo_db',
  status: 'running',
  health: 'healthy',
  exitCode: 0,
  labels: { 'app.id': 'duo' },
} as const

const active = unit('active')
const inactive = unit('inactive')

describe('appStatus', () => {
  it('is running and healthy when every unit is up and every check passes', () => {
    const all = observed(active, active, { containers: [healthyDb], answering: new Set(['web']) })
    const status = appStatus(installed(), all)
    expect([status.state, status.health]).to.deep.equal(['running', 'healthy'])
    expect(isHealthy(DUO, all)).to.equal(true)
  })

  it('is running but unhealthy when the port does not answer', () => {
    const status = appStatus(installed(), observed(active, active, { containers: [healthyDb] }))
    expect([status.state, status.health]).to.deep.equal(['running', 'unhealthy'])
  })

  it('is stopped after its owner stopped it, whatever systemd says of the ended units', () => {
    const record = installed({ desired: 'stopped' })
    for (const end of ['inactive', 'failed', 'not-found']) {
      expect(appStatus(record, observed(unit(end), unit(end))).state).to.equal('stopped')
    }
  })

  it('notes that a stop had to kill, unless there is something else to note', () => {
    const record = installed({ desired: 'stopped', wasKilled: true })
    const ended = observed(inactive, inactive)
    expect(appStatus(record, ended).note).to.contain('killed')
    expect(appStatus(record, ended, { note: 'other' }).note).to.equal('other')
    expect(appStatus(installed({ desired: 'stopped' }), ended)).not.to.have.property('note')
  })

  it('tells how a component ended: by itself, at its memory limit, or too slow to get ready', () => {
    const ended = (result: string, exitStatus: number) => {
      const failed = { ...unit('failed'), result, exitStatus }
      return appStatus(installed(), observed(active, failed)).components[1]?.ended
    }
    expect(ended('exit-code', 3)).to.deep.equal({ cause: 'crash', exitStatus: 3, restarts: 0 })
    expect(ended('exit-code', 137)?.cause).to.equal('crash')
    expect(ended('oom-kill', 137)?.cause).to.equal('out-of-memory')
    expect(ended('timeout', 137)?.cause).to.equal('too-slow')
    expect(ended('signal', 9)?.cause).to.equal('killed')
  })

  it('is starting while a component waits for another one, and when systemd brings one back', () => {
    const state = (db: UnitState, web: UnitState) => appStatus(installed(), observed(db, web)).state
    expect(state(unit('activating'), inactive)).to.equal('starting')
    expect(state(active, unit('deactivating'))).to.equal('starting')
    expect(state(active, unit('activating', 1))).to.equal('starting')
  })

  it('is blocked, not failed, while the app that it needs is not there', () => {
    const nothing = observed(inactive, inactive)
    const status = appStatus(installed(), nothing, { blockedBy: 'it needs bitcoin' })
    expect(status.state).to.equal('blocked')
  })

  it('has failed when nobody ends an operation, and is never for ever on its way', () => {
    const record = installed({ operation: { kind: 'stop', startedMs: 0 } })
    const state = (operation: 'under-way' | 'waiting' | 'overdue') =>
      appStatus(record, observed(active, active), { operation }).state
    expect(state('under-way')).to.equal('stopping')
    expect(state('waiting')).to.equal('failed')
    expect(state('overdue')).to.equal('failed')
  })

  it('shows the worst finding first', () => {
    const finding = (severity: 'info' | 'error') =>
      ({ code: 'a', severity, text: '', evidence: [], fix: '', sinceMs: 0 }) as const
    const findings = [finding('info'), finding('error')]
    const status = appStatus(installed(), observed(active, active), { findings })
    expect(status.findings.map(({ severity }) => severity)).to.deep.equal(['error', 'info'])
  })

  it('has failed when it should run and a component does not', () => {
    expect(appStatus(installed(), observed(active, inactive)).state).to.equal('failed')
  })

  it('has failed when systemd restarts a component again and again', () => {
    const looping = observed(active, unit('activating', 3))
    expect(appStatus(installed(), looping).state).to.equal('failed')
    expect(hopeless(DUO, looping)).to.equal('web: ended 3 times in a row')
  })

  it('stays failed while such a component is up for a moment, and on its way down again', () => {
    for (const moment of ['active', 'deactivating']) {
      const status = appStatus(installed(), observed(active, unit(moment, 3)))
      expect([status.state, status.health], moment).to.deep.equal(['failed', 'unhealthy'])
      expect(status.components[1]?.ended?.restarts).to.equal(3)
    }
    const well = { containers: [healthyDb], answering: new Set(['web']) }
    expect(appStatus(installed(), observed(active, unit('active', 3), well)).state).to.equal(
      'running',
    )
  })

  it('shows the version that is being put in place', () => {
    const to = generation({ seq: 2, spec: { ...DUO, version: '2' } })
    const operation = { kind: 'switch', to, startedMs: 0 } as const
    const status = appStatus(installed({ operation }), observed(inactive, inactive))
    expect([status.state, status.version, status.seq]).to.deep.equal(['updating', '2', 2])
  })

  it('tells an install from an update', () => {
    const { committed: _, ...fresh } = installed()
    const operation = { kind: 'prepare', number: 1, startedMs: 0 } as const
    const nothing = observed(inactive, inactive)
    expect(appStatus({ ...fresh, operation }, nothing).state).to.equal('installing')
    expect(appStatus(installed({ operation }), nothing).state).to.equal('updating')
  })

  it('names a state for everything that can be seen', () => {
    const state = fc
      .record({
        active: fc.constantFrom('active', 'inactive', 'failed', 'activating', 'deactivating', 'x'),
        restarts: fc.nat(5),
      })
      .map(each => unit(each.active, each.restarts))
    const desired = fc.constantFrom('running' as const, 'stopped' as const)
    fc.assert(
      fc.property(state, state, desired, (db, web, want) => {
        const { state: shown } = appStatus(installed({ desired: want }), observed(db, web))
        expect(['running', 'starting', 'stopping', 'stopped', 'failed']).to.include(shown)
        if (want === 'stopped') expect(shown).to.not.equal('failed')
      }),
    )
  })
})
