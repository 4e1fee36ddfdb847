import { expect } from 'chai'
import type { Cell } from '../../gate/cells.ts'
import {
  formatCells,
  formatJunit,
  ITERATION_MS_MAX,
  type Outcome,
  rowsOf,
} from '../../gate/report.ts'
import { NOT_UNDER_WAY, STATES, type StateId } from '../../gate/states.ts'
import { isOk } from '../../support/report-rows.ts'

const cell = (more: Partial<Cell> = {}): Cell => ({
  ...{ node: 'n1', app: 'stubborn', state: 'stop', iteration: 1, ok: true, ms: 1500, seen: '' },
  ...more,
})
const every = (Object.keys(STATES) as StateId[]).map(state => cell({ state }))
const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  ...{ cells: every, nodes: ['n1'], apps: ['stubborn'], iterations: 1, isWhole: true },
  ...{ iterationMs: [60_000], broken: [] },
  ...more,
})
const rowOf = (id: string, of: Outcome) => rowsOf(of).find(row => row.id === id)

describe('the report of the gate', () => {
  it('holds when every state was shown of every app', () => {
    expect(rowsOf(outcome()).filter(({ ok }) => !ok)).to.deep.equal([])
    expect(isOk(rowsOf(outcome()))).to.equal(true)
  })

  it('does not hold when one check failed, a stage broke off, or an iteration is missing', () => {
    const failed = [...every.slice(1), cell({ ok: false })]
    expect(rowOf('gate.green', outcome({ cells: failed }))?.ok).to.equal(false)
    expect(rowOf('gate.green', outcome({ broken: ['reboot: no answer'] }))).to.include({
      ok: false,
      measured: `${every.length} of ${every.length} checks of 1 apps hold; reboot: no answer`,
    })
    expect(rowOf('gate.green', outcome({ iterations: 2 }))?.ok).to.equal(false)
  })

  it('does not hold for a claim that nothing was checked of', () => {
    const cells = every.filter(({ state }) => state !== 'rollback')
    expect(rowOf('gate.rollback', outcome({ cells }))?.ok).to.equal(false)
    expect(rowOf('gate.green', outcome({ cells: [] }))?.ok).to.equal(false)
    expect(rowOf('gate.rollback', outcome({ cells, isWhole: false }))).to.equal(undefined)
  })

  it('does not count a cut that came when nothing was under way', () => {
    const idle = cell({ state: 'kill-stop', seen: NOT_UNDER_WAY })
    const hit = cell({ state: 'kill-stop', seen: 'in stop, 0 ms after all began' })
    const cuts = (cells: readonly Cell[]) => rowOf('gate.cuts', outcome({ cells }))
    expect(cuts([idle])?.ok).to.equal(false)
    expect(cuts([idle, hit])?.measured).to.match(/^1 of 1 checks hold/)
  })

  it('counts the time of an iteration', () => {
    const iterationMs = [ITERATION_MS_MAX + 1]
    expect(rowOf('gate.time', outcome({ iterationMs }))).to.include({
      ok: false,
      measured: '15.0 min',
    })
  })

  it('shows how many checks of a square held, and the slowest', () => {
    const cells = [cell(), cell({ ms: 2500 }), cell({ ok: false, app: 'notes' })]
    expect(formatCells(outcome({ cells, apps: ['stubborn', 'notes', 'seven'] }))).to.equal(
      ['state  stubborn   notes           seven', 'stop   2/2 2.5 s  0/1 1.5 s FAIL  -'].join('\n'),
    )
  })

  it('writes what was seen into JUnit in a form that every reader takes', () => {
    const text = formatJunit(outcome({ cells: [cell({ ok: false, seen: 'a "<b>"\u001b & c' })] }))
    expect(text).to.contain('<testsuite name="gate 1 n1" tests="1" failures="1">')
    expect(text).to.contain('<failure message="a &quot;&lt;b&gt;&quot;  &amp; c"/>')
  })
})
