/** Runs one `archy origin` command to its end, in this process, as a person without a terminal would. */
import type { Command } from 'commander'
import { originCommand } from '../../../src/commands/origin.ts'
import { systemClock } from '../../../src/core/clock.ts'

export async function runOriginCommand(args: readonly string[], nowMs?: number) {
  let out = ''
  let err = ''
  const io = {
    stdout(text: string) {
      out += text
    },
    stderr(text: string) {
      err += text
    },
    isTty: false,
  }
  const clock = nowMs === undefined ? systemClock : { ...systemClock, nowMs: () => nowMs }
  const command = originCommand({ io, clock, stopped: new AbortController().signal })
  quiet(command, text => io.stderr(text))
  await command.parseAsync(args, { from: 'user' })
  return { out, err }
}

function quiet(command: Command, writeErr: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr })
  for (const inner of command.commands) quiet(inner, writeErr)
}
