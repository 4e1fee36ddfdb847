import { expect } from 'chai'
import type { UnitState } from '../../../orchestrator/ports.ts'
import { type Found, planRepairs } from '../../../orchestrator/repairs.ts'
import { installed, unit, units } from '../../support/orchestrator/records.ts'

const found = (db: UnitState, web: UnitState, over: Partial<Found> = {}): Found => ({
  units: units(db, web),
  containers: [],
  networks: ['app-duo'],
  areUnitsDifferent: false,
  isEnabled: true,
  isHeld: false,
  isBlocked: false,
  ...over,
})
const up = unit('active')
const down = unit('inactive')
const stopped = installed({ desired: 'stopped' })
const leftover = {
  ...{ name: 'app-duo_db', status: 'exited', health: undefined, exitCode: 0 },
  labels: { 'app.id': 'duo' },
}

describe('planRepairs', () => {
  it('leaves an app alone that runs as it should', () => {
    expect(planRepairs(installed(), found(up, up))).to.deep.equal([])
    expect(planRepairs(installed(), found(up, unit('activating', 7)))).to.deep.equal([])
  })

  it('starts what should run and does not', () => {
    expect(planRepairs(installed(), found(up, down))).to.deep.equal(['start'])
    expect(planRepairs(installed(), found(up, unit('failed')))).to.deep.equal(['start'])
  })

  it('waits for what waits for another component', () => {
    expect(planRepairs(installed(), found(unit('activating'), down))).to.deep.equal([])
  })

  it('reloads when systemd does not know a unit whose file is right', () => {
    const repairs = planRepairs(installed(), found(up, unit('not-found')))
    expect(repairs).to.deep.equal(['reload', 'start'])
  })

  it('puts units back and makes a lost network anew before it starts', () => {
    const lost = found(down, down, { networks: [], areUnitsDifferent: true, isEnabled: false })
    expect(planRepairs(installed(), lost)).to.deep.equal([
      'rewrite-units',
      'enable',
      'renew-networks',
      'start',
    ])
  })

  it('never starts an app that its owner stopped, and stops it when somebody else did', () => {
    expect(planRepairs(stopped, found(down, down, { isEnabled: false }))).to.deep.equal([])
    expect(planRepairs(stopped, found(up, down))).to.deep.equal(['disable', 'stop'])
    const ending = found(unit('deactivating'), down, { isEnabled: false })
    expect(planRepairs(stopped, ending)).to.deep.equal([])
  })

  it('removes what a power cut left of the containers of a stopped app', () => {
    const rest = found(down, down, { isEnabled: false, containers: [leftover] })
    expect(planRepairs(stopped, rest)).to.deep.equal(['remove-containers'])
  })

  it('starts nothing that is held or that waits for another app', () => {
    expect(planRepairs(installed(), found(down, down, { isHeld: true }))).to.deep.equal([])
    expect(planRepairs(installed(), found(down, down, { isBlocked: true }))).to.deep.equal([])
    expect(planRepairs(installed(), found(up, up, { isBlocked: true }))).to.deep.equal([])
  })

  it('does nothing while an operation is under way', () => {
    const operation = { kind: 'stop', startedMs: 0 } as const
    expect(planRepairs(installed({ operation }), found(down, down))).to.deep.equal([])
  })
})
