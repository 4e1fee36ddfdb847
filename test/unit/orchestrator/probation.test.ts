import { expect } from 'chai'
import fc from 'fast-check'
import type { Observed } from '../../../orchestrator/component-status.ts'
import type { UnitState } from '../../../orchestrator/ports.ts'
import { judgeProbation, restartProbation } from '../../../orchestrator/probation.ts'
import { installed, unit, units } from '../../support/orchestrator/records.ts'

const LENGTH_MS = 600_000
const record = installed({ probation: { startedMs: 1000, lengthMs: LENGTH_MS } })
const seen = (
  db: UnitState,
  { web = unit('active'), answers = true, health = 'healthy' as const } = {},
): Observed => ({
  units: units(db, web),
  containers: [{ name: 'app-duo_db', status: 'running', health, exitCode: 0, labels: {} }],
  answering: new Set(answers ? ['web'] : []),
})
const well = seen(unit('active'))

describe('judgeProbation', () => {
  it('watches a healthy app until its time is over', () => {
    expect(judgeProbation(record, well, 0, 1000)).to.deep.equal({ kind: 'watch', isBad: false })
    expect(judgeProbation(record, well, 0, 1000 + LENGTH_MS - 1).kind).to.equal('watch')
    expect(judgeProbation(record, well, 0, 1000 + LENGTH_MS)).to.deep.equal({ kind: 'passed' })
  })

  it('takes back what ended three times, and not what ended twice', () => {
    expect(judgeProbation(record, seen(unit('active', 2)), 0, 2000).kind).to.equal('watch')
    expect(judgeProbation(record, seen(unit('active', 3)), 0, 2000)).to.deep.equal({
      kind: 'failed',
      reason: 'db: ended 3 times in its probation',
    })
  })

  it('takes back what ran out of memory, at once', () => {
    const oom = { ...unit('activating', 1), result: 'oom-kill' }
    expect(judgeProbation(record, seen(oom), 0, 2000)).to.deep.equal({
      kind: 'failed',
      reason: 'db: was ended for its memory',
    })
  })

  it('takes back a failing check at the third look in a row, also when its time is over', () => {
    const sick = seen(unit('active'), { answers: false })
    const late = 1000 + 2 * LENGTH_MS
    expect(judgeProbation(record, sick, 0, late)).to.deep.equal({ kind: 'watch', isBad: true })
    expect(judgeProbation(record, sick, 1, late)).to.deep.equal({ kind: 'watch', isBad: true })
    expect(judgeProbation(record, sick, 2, late).kind).to.equal('failed')
  })

  it('lets no time pass for an app that its owner stopped, and begins anew when it is started', () => {
    const stopped = { ...record, desired: 'stopped' as const }
    const down = seen(unit('inactive'), { web: unit('inactive'), answers: false })
    expect(judgeProbation(stopped, down, 0, 10 * LENGTH_MS).kind).to.equal('watch')
    expect(restartProbation(stopped, 5000).probation?.startedMs).to.equal(5000)
  })

  it('begins anew when the clock went back', () => {
    expect(judgeProbation(record, well, 0, 999)).to.deep.equal({ kind: 'again' })
  })

  it('has an answer for everything that systemd may say', () => {
    const state = fc.record({
      active: fc.constantFrom('active', 'inactive', 'failed', 'activating', 'not-found', 'odd'),
      sub: fc.string(),
      result: fc.constantFrom('success', 'exit-code', 'oom-kill', 'odd'),
      restarts: fc.nat(9),
    })
    fc.assert(
      fc.property(state, state, fc.nat(5), fc.integer(), (db, web, bad, nowMs) => {
        const { kind } = judgeProbation(record, seen(db, { web }), bad, nowMs)
        expect(kind).to.be.oneOf(['watch', 'again', 'passed', 'failed'])
      }),
      { numRuns: 200 },
    )
  })
})
