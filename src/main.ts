#!/usr/bin/env node
/** Turns arguments and environment into one command and its exit code; the only reader of `process.env`. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { appCommand } from './commands/app.ts'
import { blobCommand } from './commands/blob.ts'
import { bundleCommand } from './commands/bundle.ts'
import { doctorCommand } from './commands/doctor.ts'
import type { CommandIo } from './commands/io.ts'
import { nodeCommand } from './commands/node.ts'
import { originCommand } from './commands/origin.ts'
import { seedCommand } from './commands/seed.ts'
import { statusCommand } from './commands/status.ts'
import { systemClock } from './core/clock.ts'
import { codeOf, messageOf, NodeError } from './core/errors.ts'
import { foldersFrom } from './folders.ts'

/** 0: done. 1: it failed. 2: the command line was wrong. 3: no node is running to ask. */
const EXIT = { failed: 1, usage: 2, notRunning: 3 } as const

const io: CommandIo = {
  stdout: text => process.stdout.write(text),
  stderr: text => process.stderr.write(text),
  isTty: process.stderr.isTTY === true,
  passphraseFile: process.env.ARCHY_PASSPHRASE_FILE,
  ...(process.stdin.isTTY ? { askSecret } : {}),
}

/** Nothing of what is typed is shown. */
async function askSecret(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

function buildProgram(stopped: AbortSignal): Command {
  const folders = foldersFrom(process.env, process.getuid?.() ?? 0)
  const { socket } = folders
  const fail = (): void => {
    process.exitCode = EXIT.failed
  }
  const program = new Command('archy').description(
    'Brings signed apps to this machine from peers and the origin, and keeps them running',
  )
  program.addCommand(nodeCommand({ io, folders, stopped, notifySocket: process.env.NOTIFY_SOCKET }))
  program.addCommand(statusCommand({ io, socket, stopped, clock: systemClock }))
  program.addCommand(bundleCommand({ io, socket }))
  program.addCommand(appCommand({ io, socket, stopped, clock: systemClock, fail }))
  program.addCommand(
    doctorCommand({
      ...{ io, folders, fail, clock: systemClock },
      runtimeFolder: process.env.XDG_RUNTIME_DIR,
    }),
  )
  program.addCommand(seedCommand({ io, socket }))
  program.addCommand(blobCommand({ io, socket, stopped, clock: systemClock, fail }))
  program.addCommand(originCommand({ io, stopped, clock: systemClock, fail }))
  throwInsteadOfExit(program)
  return program
}

/** Commander's way to leave exit codes to us; it does not pass this on to commands that were built elsewhere. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  command.commands.forEach(throwInsteadOfExit)
}

/**
 * One line, then one line per problem. A stack only for a defect of ours: what the system refused, such as a file
 * that is missing, says enough in its own words.
 */
function report(error: unknown): void {
  if (error instanceof NodeError) {
    io.stderr(`archy: ${error.message} (${error.code})\n`)
    for (const problem of error.problems) io.stderr(`  ${problem}\n`)
  } else if (error instanceof Error && 'syscall' in error) {
    io.stderr(`archy: ${error.message} (${codeOf(error) ?? 'unknown'})\n`)
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
    io.stderr(`archy: ${text}\n`)
  }
}

const abort = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => abort.abort(new Error(`received ${signal}`)))
}
try {
  await buildProgram(abort.signal).parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage
  } else {
    report(error)
    process.exitCode = codeOf(error) === 'NODE_NOT_RUNNING' ? EXIT.notRunning : EXIT.failed
  }
}
