#!/usr/bin/env node
/** What needs root once: `node systemd/install.ts --user NAME [--dry-run | --uninstall …]`. README.md says what it does. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/core/clock.ts'
import { messageOf, NodeError } from '../src/core/errors.ts'
import { createAccount } from './setup/account.ts'
import { install, uninstall } from './setup/install.ts'
import { createMachine } from './setup/machine.ts'

const LISTS = '/var/lib/archy-installer'
/** Longer than the longest grace that apps of home servers ask for, 15 minutes; systemd cuts a shutdown off after 30. */
const STOP_TIMEOUT_DEFAULT = '20min'
const USAGE = `usage: node systemd/install.ts --user NAME [--dry-run] [--uninstall]
         [--stop-timeout 20min] [--low-port 80]
`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      user: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      uninstall: { type: 'boolean', default: false },
      'stop-timeout': { type: 'string', default: STOP_TIMEOUT_DEFAULT },
      'low-port': { type: 'string' },
    },
  })
  const { user, 'low-port': lowPort } = values
  if (user === undefined) throw new Error('--user is missing')
  const isDryRun = values['dry-run']
  if (process.getuid?.() !== 0 && !isDryRun) {
    process.stderr.write('this needs root; --dry-run shows what it would do\n')
    return 1
  }
  const terms = {
    machine: createMachine(createAccount(user), ms => systemClock.sleep(ms)),
    listFile: join(LISTS, `${user}.json`),
    isDryRun,
    say: (line: string) => void process.stdout.write(`${line}\n`),
  }
  if (values.uninstall) await uninstall(terms, user)
  else {
    await install(terms, {
      user,
      stopTimeout: values['stop-timeout'],
      lowPort: lowPort === undefined ? undefined : Number(lowPort),
    })
  }
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(
    `${messageOf(error)}${error instanceof NodeError ? ` (${error.code})` : ''}\n`,
  )
  if (error instanceof NodeError)
    for (const each of error.problems) process.stderr.write(`  ${each}\n`)
  else process.stderr.write(USAGE)
  process.exitCode = error instanceof NodeError ? 1 : 2
}
