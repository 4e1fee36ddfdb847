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

  describe('when the network was removed', () => {
    const lost = (network: string, db = down, over: Partial<Found> = {}): Found => ({
      ...found(db, down, { networks: [], ...over }),
      units: new Map([...units(db, down), ['app-duo-network.service', unit(network)]]),
    })

    it('puts units back and ends the network unit, which still counts as up, before it starts', () => {
      const first = lost('active', down, { areUnitsDifferent: true, isEnabled: false })
      const repairs = ['rewrite-units', 'enable', 'end-networks']
      expect(planRepairs(installed(), first)).to.deep.equal(repairs)
      expect(planRepairs(installed(), lost('deactivating'))).to.deep.equal([])
      expect(planRepairs(installed(), lost('inactive'))).to.deep.equal(['start'])
      expect(planRepairs(installed(), lost('activating'))).to.deep.equal([])
    })

    it('also helps a component that systemd tries again and again in vain', () => {
      const first = lost('active', unit('activating', 2))
      expect(planRepairs(installed(), first)).to.deep.equal(['end-networks'])
      const blocked = { ...first, isBlocked: true }
      expect(planRepairs(installed(), blocked)).to.deep.equal([])
      expect(planRepairs(installed(), lost('active', unit('activating')))).to.deep.equal([])
    })
  })

  it('stops the target of a stopped app that somebody started, also when nothing else runs', () => {
    const started = found(down, down, { isEnabled: false })
    const up = new Map([...started.units, ['app-duo.target', unit('active')] as const])
    expect(planRepairs(stopped, { ...started, units: up })).to.deep.equal(['stop'])
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
