/**
 * `npm test`: every test that can run on this machine, group after group, and one line of totals at the end.
 * With CI=true the lab is not optional: where it cannot run, the run fails.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareLab } from './support/prepare-lab.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
}

const ROOT = join(import.meta.dirname, '..')
const MOCHA = join(ROOT, 'node_modules/mocha/bin/mocha.js')
const LAB_CLI = join(ROOT, 'test/support/lab/cli.ts')
const GATE = join(ROOT, 'test/gate/main.ts')

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Runs one mocha process, maybe behind another command. */
async function runMocha(
  title: string,
  prefix: readonly string[],
  args: readonly string[],
): Promise<Counts> {
  const reporter = join(ROOT, 'test/support/count-reporter.mjs')
  return await runGroup(title, [
    ...prefix,
    process.execPath,
    MOCHA,
    '--reporter',
    reporter,
    ...args,
  ])
}

/** Runs a command that writes its totals to the file named by ARCHY_TEST_COUNTS; a crash counts as one failure. */
async function runGroup(title: string, command: readonly string[]): Promise<Counts> {
  say(`\n=== ${title} ===`)
  const folder = await mkdtemp(join(tmpdir(), 'archy-test-'))
  const file = join(folder, 'counts.json')
  try {
    const code = await run(command, { ARCHY_TEST_COUNTS: file })
    const text = await readFile(file, 'utf8').catch(() => undefined)
    const counts = text === undefined ? { passed: 0, failed: 0 } : (JSON.parse(text) as Counts)
    if (code === 0 || counts.failed > 0) return counts
    say(`${title}: ended with code ${code}`)
    return { ...counts, failed: counts.failed + 1 }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const EXIT_STOPPED = 130
let current: ChildProcess | undefined
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    isStopped = true
    current?.kill(signal)
  })
}

/** Ends the whole run when somebody stopped it: the groups that are left are not begun. */
async function run(command: readonly string[], env: Record<string, string>): Promise<number> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } })
  current = child
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', ended => resolve(ended ?? 1))
  })
  if (isStopped) process.exit(EXIT_STOPPED)
  return code
}

async function runDemo(): Promise<Counts> {
  say('\n=== demo ===')
  const code = await run([process.execPath, join(ROOT, 'test/demo/main.ts')], {})
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

const groups: Counts[] = [
  await runMocha('unit, property, conformance, model', [], []),
  await runMocha('integration', [], ['--config', 'test/integration/.mocharc.yaml']),
]
const missing = await prepareLab(say)
if (missing === undefined) {
  const lab = [process.execPath, LAB_CLI, 'run', 'n1', 'n2', 'origin', '--']
  groups.push(await runMocha('lab', lab, ['--config', 'test/lab/.mocharc.yaml']))
  groups.push(await runGroup('production gate, one iteration', [process.execPath, GATE]))
} else {
  say(`\nLeft out: the lab tests (test/lab) and the production gate. Missing: ${missing}`)
  if (process.env.CI === 'true') {
    say('CI=true: the lab is not optional, so this run fails.')
    groups.push({ passed: 0, failed: 1 })
  }
}
groups.push(await runDemo())

const passed = groups.reduce((sum, group) => sum + group.passed, 0)
const failed = groups.reduce((sum, group) => sum + group.failed, 0)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
