/** Runs test files in one mocha process and says of named tests whether they are there and pass. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { makeTempFolder } from '../support/temp-folder.ts'
import type { Tests } from './cases.ts'

export const ROOT = join(import.meta.dirname, '../..')
const MOCHA = join(ROOT, 'node_modules/mocha/bin/mocha.js')
const TEST_TIMEOUT_MS = 300_000

interface MochaTest {
  readonly fullTitle: string
  readonly file: string
  readonly err: { readonly message?: string }
}

export interface Finding {
  readonly passedCount: number
  /** One line for each test that failed and each title that no test has. */
  readonly problems: readonly string[]
}

export interface TestRun {
  find(tests: Tests): Finding
}

/** @param prefix what mocha runs behind, such as the lab */
export async function runTests(
  files: readonly string[],
  prefix: readonly string[] = [],
): Promise<TestRun> {
  await using folder = await makeTempFolder()
  const report = join(folder.path, 'report.json')
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`]
  const options = ['--no-config', '--forbid-only', '--forbid-pending']
  const timeout = ['--timeout', String(TEST_TIMEOUT_MS)]
  const mocha = [process.execPath, MOCHA, ...options, ...timeout, ...reporter, ...new Set(files)]
  await runCommand([...prefix, ...mocha])
  const text = await readFile(report, 'utf8').catch(() => '{"tests":[],"failures":[]}')
  const { tests, failures } = JSON.parse(text) as Record<'tests' | 'failures', MochaTest[]>
  // A hook that fails is among the failures and not among the tests, and the tests behind it are nowhere.
  const all = new Map([...tests, ...failures].map(test => [`${test.file} ${test.fullTitle}`, test]))
  const byFile = Map.groupBy(all.values(), ({ file }) => relative(ROOT, file))
  return { find: wanted => findTests(wanted, byFile) }
}

function findTests(wanted: Tests, byFile: ReadonlyMap<string, readonly MochaTest[]>): Finding {
  const problems: string[] = []
  let passedCount = 0
  for (const [file, titles] of Object.entries(wanted)) {
    const tests = byFile.get(file) ?? []
    for (const title of titles.length === 0 ? [''] : titles) {
      const found = tests.filter(({ fullTitle }) => fullTitle.includes(title))
      if (found.length === 0) problems.push(`${file} ran no test ${title && JSON.stringify(title)}`)
      for (const { fullTitle, err } of found) {
        if (err.message === undefined) passedCount += 1
        else problems.push(`${fullTitle}: ${err.message.split('\n')[0]}`)
      }
    }
  }
  return { passedCount, problems }
}

/**
 * Runs a command to its end and keeps its standard output; the rest goes to whoever watches.
 * @throws when a signal ends it: a run that somebody broke off says nothing about what it proves
 */
export async function runCommand(
  command: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string }> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, forward)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (ended, signal) => {
      if (ended === null) reject(new Error(`${command.join(' ')} was ended by ${signal}`))
      else resolve(ended)
    })
  })
  for (const signal of signals) process.off(signal, forward)
  return { code, stdout: Buffer.concat(chunks).toString('utf8') }
}
