/**
 * `npm run mutants`: puts each mutant of `list.ts` into the code and runs the tests of its area, which have to fail.
 * Usage: node test/mutants/main.ts [--json] [--only TEXT]; survivors are named, and fail the run.
 */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { codeOf } from '../../src/core/errors.ts'
import { eachInParallel } from '../../src/core/parallel.ts'
import { reportRows } from '../support/report-rows.ts'
import { applyMutant, type Mutant } from './apply.ts'
import { mutants } from './list.ts'

const ROOT = join(import.meta.dirname, '../..')
const MUTANT_COUNT_MIN = 60
const PARALLEL_COUNT = 2
/** A mutant may make an endless loop: that is noticed too. */
const TIMEOUT_MS = 120_000
const TRUST_TESTS = [
  'test/unit/catalog/trust/*.test.ts',
  'test/conformance/tuf-replay.test.ts',
  'test/property/catalog-trust.test.ts',
]
const TESTS: Readonly<Record<string, readonly string[]>> = {
  'catalog/trust': TRUST_TESTS,
  catalog: ['test/unit/catalog/*.test.ts', ...TRUST_TESTS],
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
})

type Outcome = 'killed' | 'survived' | 'broken'

/** `index` -1 runs the tests as they are. */
async function runTests(index: number, patterns: readonly string[]): Promise<Outcome> {
  const tests = patterns.flatMap(pattern => globSync(pattern, { cwd: ROOT }))
  const hook = new URL(`hook.ts?mutant=${index}`, import.meta.url).href
  const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js')
  const args = ['--no-config', '--bail', '--timeout', '20000', ...tests]
  try {
    const before = index < 0 ? [] : ['--import', hook]
    await promisify(execFile)(process.execPath, [...before, mocha, ...args], {
      cwd: ROOT,
      timeout: TIMEOUT_MS,
      maxBuffer: 64e6,
    })
    return 'survived'
  } catch (error) {
    // A refusal while tests are still being set up is noticed as well; anything else means that the run itself broke.
    const { stdout, stderr, killed } = error as Record<'stdout' | 'stderr' | 'killed', unknown>
    const output = `${String(stdout)}${String(stderr)}`
    const isNoticed = /\b[1-9]\d* failing\b|Exception during run: CatalogError/.test(output)
    if (killed === true || isNoticed) return 'killed'
    process.stderr.write(
      `${codeOf(error) ?? ''} ${String((error as Error).message).slice(0, 2000)}\n`,
    )
    return 'broken'
  }
}

function testsOf({ file }: Mutant): readonly string[] {
  return (file.startsWith('catalog/trust/') ? TESTS['catalog/trust'] : TESTS.catalog) ?? []
}

const nameOf = ({ file, from, to, why }: Mutant): string =>
  `${file}: ${JSON.stringify(from)} → ${JSON.stringify(to)} (${why})`

// Before anything runs, so that a mutant whose text is gone is told at once.
for (const mutant of mutants) applyMutant(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'))

const chosen = mutants.flatMap((mutant, index) =>
  nameOf(mutant).includes(values.only) ? [{ mutant, index }] : [],
)
const startMs = performance.now()
const isSound = (await runTests(-1, TESTS.catalog ?? [])) === 'survived'
const outcomes: { mutant: Mutant; outcome: Outcome }[] = []
await eachInParallel(chosen, PARALLEL_COUNT, async ({ mutant, index }) => {
  const outcome = await runTests(index, testsOf(mutant))
  if (outcome !== 'killed') process.stderr.write(`${outcome}: ${nameOf(mutant)}\n`)
  outcomes.push({ mutant, outcome })
})
const real = outcomes.filter(({ mutant }) => mutant.equivalent === undefined)
const killed = real.filter(({ outcome }) => outcome === 'killed').length
const others = outcomes.filter(({ mutant }) => mutant.equivalent !== undefined)
const reasons = others.map(({ mutant }) => `${nameOf(mutant)}: ${mutant.equivalent}`)
const minutes = (performance.now() - startMs) / 60_000
reportRows([
  {
    id: 'tests',
    must: 'the tests pass without a mutant',
    measured: isSound ? 'they pass' : 'they fail',
    ok: isSound,
  },
  {
    id: 'mutants',
    must: 'every mutant is killed by a test',
    measured: `${killed} of ${real.length} killed in ${minutes.toFixed(1)} minutes`,
    ok: real.length > 0 && killed === real.length,
  },
  {
    id: 'mutant-count',
    must: `at least ${MUTANT_COUNT_MIN}`,
    measured: `${real.length}`,
    ok: real.length >= MUTANT_COUNT_MIN || values.only !== '',
  },
  {
    id: 'equivalent',
    must: 'mutants that no test can notice are named, with the reason',
    measured: reasons.length === 0 ? 'none' : reasons.join('; '),
    ok: others.every(({ outcome }) => outcome === 'survived'),
  },
])
