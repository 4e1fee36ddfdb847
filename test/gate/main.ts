/** `npm run gate -- --iterations N [--app ID] [--json] [--junit FILE]`: the production gate, in a lab of its own. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/core/errors.ts'
import { prepareLab } from '../support/prepare-lab.ts'
import { formatRows, isOk } from '../support/report-rows.ts'
import { type GateOptions, playGate } from './play.ts'
import { formatCells, formatJunit, rowsOf } from './report.ts'
import { STATES } from './states.ts'

const LAB_CLI = join(import.meta.dirname, '../support/lab/cli.ts')
const ITERATIONS_MAX = 100
const EXIT_USAGE = 2

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

interface Arguments extends GateOptions {
  readonly json: boolean
  readonly junit: string | undefined
  /** Set for the second run of this file, which takes place inside the lab. */
  readonly isInside: boolean
}

/** @throws Error that says what to write instead. */
function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      iterations: { type: 'string', default: '1' },
      app: { type: 'string', multiple: true, default: [] },
      state: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      junit: { type: 'string' },
      'inside-lab': { type: 'boolean', default: false },
    },
  })
  const iterations = Number(values.iterations)
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > ITERATIONS_MAX) {
    throw new Error(
      `--iterations is a number from 1 to ${ITERATIONS_MAX}, not ${values.iterations}`,
    )
  }
  const unknown = values.state.filter(state => !Object.keys(STATES).includes(state))
  if (unknown.length > 0) {
    throw new Error(`no state ${unknown.join(', ')}; there is: ${Object.keys(STATES).join(', ')}`)
  }
  const { app: apps, state: states, json, junit } = values
  return { iterations, apps, states, json, junit, isInside: values['inside-lab'] }
}

/** @returns the exit code. */
async function playInside({ json, junit, ...options }: Arguments): Promise<number> {
  const outcome = await playGate(options, say)
  const rows = rowsOf(outcome)
  process.stdout.write(`\n${formatCells(outcome)}\n\n`)
  process.stdout.write(`${formatRows(rows, false)}\n`)
  if (junit !== undefined) await writeFile(junit, formatJunit(outcome))
  const failed = outcome.cells.filter(({ ok }) => !ok).length
  const isCounted = await count(outcome.cells.length - failed, failed)
  if (json) process.stdout.write(`${formatRows(rows, true)}\n`)
  // How long it takes is promised for a machine that does nothing else; `npm test` asks for the states only.
  return isCounted ? Math.min(failed, 1) : Number(!isOk(rows))
}

/** For `npm test`, which adds up what its groups passed and failed. False when somebody else asks. */
async function count(passed: number, failed: number): Promise<boolean> {
  const file = process.env.ARCHY_TEST_COUNTS
  if (file !== undefined) await writeFile(file, JSON.stringify({ passed, failed }))
  return file !== undefined
}

async function playInLab(args: readonly string[]): Promise<number> {
  const inside = [process.execPath, import.meta.filename, '--inside-lab', ...args]
  const command = [LAB_CLI, 'run', 'n1', 'n2', 'origin', '--', ...inside]
  const child = spawn(process.execPath, command, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => child.kill(signal))
  }
  return await new Promise((done, reject) => {
    child.on('error', reject)
    child.on('exit', code => done(code ?? 1))
  })
}

async function main(args: readonly string[]): Promise<number> {
  let wanted: Arguments
  try {
    wanted = readArguments(args)
  } catch (error) {
    say(messageOf(error))
    return EXIT_USAGE
  }
  if (wanted.isInside) return await playInside(wanted)
  const missing = await prepareLab(say)
  if (missing !== undefined) {
    say(`The gate needs the lab. Missing: ${missing}`)
    return 1
  }
  const { junit } = wanted
  // Inside the lab the working folder is the same, so a relative name means the same file.
  return await playInLab(junit === undefined ? args : [...args, '--junit', resolve(junit)])
}

process.exitCode = await main(process.argv.slice(2))
