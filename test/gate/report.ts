/** What a run of the gate prints: a table of apps and states, JUnit for machines, and the rows of its claims. Pure. */
import { formatTable } from '../../src/commands/format.ts'
import type { Row } from '../support/report-rows.ts'
import type { Cell } from './cells.ts'
import { NOT_UNDER_WAY, STATES, type StateId } from './states.ts'

export interface Outcome {
  readonly cells: readonly Cell[]
  readonly nodes: readonly string[]
  readonly apps: readonly string[]
  readonly iterations: number
  /** False when only some apps or states were asked for. */
  readonly isWhole: boolean
  /** One for each iteration that was begun. */
  readonly iterationMs: readonly number[]
  /** Why a stage could not be gone through to its end, if one could not. */
  readonly broken: readonly string[]
}

/** As long as one iteration may take. */
export const ITERATION_MS_MAX = 15 * 60_000

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** One line per state, one column per app: how many checks of how many held, and the time of the slowest. */
export function formatCells({ cells, apps }: Outcome): string {
  const states = (Object.keys(STATES) as StateId[]).filter(state =>
    cells.some(cell => cell.state === state),
  )
  const rows = states.map(state => [
    state,
    ...apps.map(app => squareOf(cells.filter(cell => cell.state === state && cell.app === app))),
  ])
  return formatTable([['state', ...apps], ...rows])
}

function squareOf(cells: readonly Cell[]): string {
  if (cells.length === 0) return '-'
  const held = cells.filter(({ ok }) => ok).length
  const word = held === cells.length ? '' : ' FAIL'
  return `${held}/${cells.length} ${seconds(Math.max(...cells.map(({ ms }) => ms)))}${word}`
}

/** @see the schema of JUnit that Jenkins and GitLab read: testsuites, testsuite, testcase, failure. */
export function formatJunit({ cells, nodes, iterations }: Outcome): string {
  const suites: string[] = []
  for (let iteration = 1; iteration <= iterations; iteration++) {
    for (const node of nodes) {
      const mine = cells.filter(cell => cell.iteration === iteration && cell.node === node)
      const failed = mine.filter(({ ok }) => !ok).length
      const name = `gate ${iteration} ${node}`
      suites.push(
        `  <testsuite name="${name}" tests="${mine.length}" failures="${failed}">`,
        ...mine.map(caseOf),
        '  </testsuite>',
      )
    }
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function caseOf({ app, state, ok, ms, seen }: Cell): string {
  const head = `    <testcase classname="${app}" name="${state}: ${escapeXml(STATES[state])}" time="${(ms / 1000).toFixed(3)}"`
  return ok ? `${head}/>` : `${head}><failure message="${escapeXml(seen)}"/></testcase>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** XML 1.0 has no way to write most control characters: they become spaces. */
function escapeXml(text: string): string {
  const plain = Array.from(text, char => (char < ' ' || char === '\u007f' ? ' ' : char)).join('')
  return plain.replaceAll(/[&<>"]/g, char => ENTITIES[char] ?? char)
}

/** The claims of the gate. One without a single check does not hold: nothing was shown; of a part of the gate it is left out. */
export function rowsOf(outcome: Outcome): readonly Row[] {
  const { cells, isWhole } = outcome
  const rows = CLAIMS.map(({ id, must, isMine }) => rowOfCells(id, must, cells.filter(isMine)))
  return [
    greenRow(outcome),
    timeRow(outcome),
    ...rows.filter(({ count }) => isWhole || count > 0).map(({ row }) => row),
  ]
}

const CLAIMS: readonly { id: string; must: string; isMine: (cell: Cell) => boolean }[] = [
  {
    id: 'gate.stubborn',
    must: `an app that ignores SIGTERM ${STATES.stop}`,
    isMine: ({ app, state }) => app === 'stubborn' && state === 'stop',
  },
  {
    id: 'gate.owner',
    must: `what its owner stopped ${STATES['stays-stopped']}`,
    isMine: ({ state }) => state === 'stays-stopped',
  },
  {
    id: 'gate.cuts',
    must: 'every operation that was cut ends as if it had not been',
    isMine: ({ state, seen }) => /^(kill|cut)-/.test(state) && seen !== NOT_UNDER_WAY,
  },
  {
    id: 'gate.rollback',
    must: `an app ${STATES.rollback}`,
    isMine: ({ state }) => state === 'rollback',
  },
  {
    id: 'gate.full-disk',
    must: `an app ${STATES['full-disk']}`,
    isMine: ({ state }) => state === 'full-disk',
  },
  { id: 'gate.clean', must: `an app ${STATES.clean}`, isMine: ({ state }) => state === 'clean' },
]

function greenRow({ cells, apps, nodes, iterations, iterationMs, broken }: Outcome): Row {
  const held = cells.filter(({ ok }) => ok).length
  const isComplete = iterationMs.length === iterations && broken.length === 0
  const reasons = broken.map(why => `; ${why}`).join('')
  return {
    id: 'gate.green',
    must: `every state of every app on ${nodes.length} nodes in ${iterations} iterations`,
    measured: `${held} of ${cells.length} checks of ${apps.length} apps hold${reasons}`,
    ok: isComplete && cells.length > 0 && held === cells.length,
  }
}

function timeRow({ iterations, iterationMs }: Outcome): Row {
  return {
    id: 'gate.time',
    must: `an iteration takes at most ${ITERATION_MS_MAX / 60_000} minutes`,
    measured: iterationMs.map(ms => `${(ms / 60_000).toFixed(1)} min`).join(', ') || 'none ended',
    ok: iterationMs.length === iterations && Math.max(...iterationMs) <= ITERATION_MS_MAX,
  }
}

function rowOfCells(
  id: string,
  must: string,
  cells: readonly Cell[],
): { readonly row: Row; readonly count: number } {
  const count = cells.length
  const held = cells.filter(({ ok }) => ok).length
  const slowest =
    count === 0 ? '' : `, the slowest in ${seconds(Math.max(...cells.map(({ ms }) => ms)))}`
  const measured = `${held} of ${count} checks hold${slowest}`
  return { row: { id, must, measured, ok: count > 0 && held === count }, count }
}
