/** `npm run prove:catalog`: everything that is claimed of the signed catalog, in one table. A quarter of an hour. */
import { join } from 'node:path'
import { prepareLab } from '../support/prepare-lab.ts'
import { type Row, reportRows } from '../support/report-rows.ts'
import { CASES, type Tests } from './cases.ts'
import { type Finding, ROOT, runCommand, runTests, type TestRun } from './run-tests.ts'

interface Claim {
  readonly id: string
  readonly must: string
  readonly tests: Tests
}

const CLAIMS: readonly Claim[] = [
  {
    id: 'tuf-client',
    must: 'an executable with the command line of the TUF conformance suite ends as recorded',
    tests: { 'test/integration/tuf-client.test.ts': [] },
  },
  {
    id: 'vectors',
    must: 'Wycheproof vectors of Ed25519 and P-256, did:key vectors, canonical JSON beside another implementation',
    tests: {
      'test/conformance/signature-vectors.test.ts': ['wycheproof-ed25519', 'wycheproof-ecdsa-p256'],
      'test/unit/catalog/trust/did-key.test.ts': [],
      'test/property/canonical-json.test.ts': [],
    },
  },
  {
    id: 'tuf-js',
    must: 'tuf-js accepts what is published',
    tests: {
      'test/conformance/tuf-referee.test.ts': [],
      'test/integration/origin-serve.test.ts': ['is read by tuf-js'],
    },
  },
  {
    id: 'publishing-guide',
    must: 'docs/publishing.md, followed to the letter, leads to a published, staged, yanked and rotated catalog',
    tests: { 'test/integration/publishing-guide.test.ts': [] },
  },
  {
    id: 'kill',
    must: 'killed between any two writes of a refresh: a valid catalog and no lower floors',
    tests: { 'test/integration/catalog-crash.test.ts': [] },
  },
]

const LAB = 'test/lab/40-catalog.test.ts'
const LAB_CLAIMS: readonly Claim[] = [
  {
    id: 'lab-origin-down',
    must: 'origin down for the whole run: node 2 has the newest catalog from node 1 alone',
    tests: { [LAB]: ['by its neighbour alone'] },
  },
  {
    id: 'lab-rotation',
    must: 'the timestamp key is rotated while node 2 is off',
    tests: { [LAB]: ['while the timestamp key was rotated'] },
  },
  {
    id: 'lab-fork',
    must: 'two nodes that were shown different heads detect the fork',
    tests: { [LAB]: ['shown different heads'] },
  },
  {
    id: 'lab-withdrawn',
    must: 'a withdrawn release is replaced on both nodes',
    tests: { [LAB]: ['has a release withdrawn'] },
  },
  {
    id: 'lab-rollout',
    must: 'a rollout at 50 % splits ten nodes by their private seeds and completes at 100 %',
    tests: { 'test/lab/41-rollout.test.ts': [] },
  },
]

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

async function runScript(id: string, file: string): Promise<readonly Row[]> {
  say(id)
  const { stdout, code } = await runCommand([process.execPath, join(ROOT, file), '--json'])
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) {
    return [{ id, must: 'it prints its rows', measured: `ended with ${code}`, ok: false }]
  }
  const { rows } = JSON.parse(last) as { readonly rows: readonly Row[] }
  return rows.map(row => ({ ...row, id: `${id} ${row.id}` }))
}

function rowOf({ id, must, tests }: Claim, run: TestRun): Row {
  const { passedCount, problems } = run.find(tests)
  const measured = problems.length === 0 ? `${passedCount} tests pass` : problems.join('; ')
  return { id, must, measured, ok: problems.length === 0 }
}

function casesRow(run: TestRun): Row {
  const found = Object.entries(CASES).map(([what, tests]): [string, Finding] => [
    what,
    run.find(tests),
  ])
  const open = found.flatMap(([what, { problems }]) =>
    problems.length === 0 ? [] : [`${what}: ${problems.join('; ')}`],
  )
  const testCount = found.reduce((sum, [, { passedCount }]) => sum + passedCount, 0)
  const held = `${found.length - open.length} of ${found.length} held by ${testCount} tests`
  return {
    id: 'cases',
    must: 'every known way to get a catalog client wrong is a test that passes (and mutants, below, are killed)',
    measured: [held, ...open].join('; '),
    ok: open.length === 0,
  }
}

const filesOf = (all: readonly Tests[]): readonly string[] => all.flatMap(Object.keys)

async function runLab(): Promise<readonly Row[]> {
  say('lab')
  const missing = await prepareLab(say)
  if (missing !== undefined) {
    const measured = `the lab cannot run here: ${missing}`
    return LAB_CLAIMS.map(({ id, must }) => ({ id, must, measured, ok: false }))
  }
  const lab = [process.execPath, join(ROOT, 'test/support/lab/cli.ts'), 'run', 'n1', 'n2', 'origin']
  const files = filesOf(LAB_CLAIMS.map(({ tests }) => tests))
  const run = await runTests(files, [...lab, '--'])
  return LAB_CLAIMS.map(claim => rowOf(claim, run))
}

const tested = CLAIMS.map(({ tests }) => tests)
say('tests')
const run = await runTests(filesOf([...tested, ...Object.values(CASES)]))
const ofTests = [...CLAIMS.map(claim => rowOf(claim, run)), casesRow(run)]
reportRows([
  // One after another: what measures time must have the machine for itself.
  ...(await runScript('conformance:tuf', 'test/conformance/tuf.ts')),
  ...ofTests,
  ...(await runScript('mutants', 'test/mutants/main.ts')),
  ...(await runScript('bench:catalog', 'test/bench/catalog.ts')),
  ...(await runLab()),
])
