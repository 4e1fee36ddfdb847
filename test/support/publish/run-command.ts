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
  let isWell = true
  const fail = (): void => {
    isWell = false
  }
  const stopped = new AbortController().signal
  const command = originCommand({ io, clock, stopped, fail })
  quiet(command, text => io.stderr(text))
  await command.parseAsync(args, { from: 'user' })
  return { out, err, isWell }
}

function quiet(command: Command, writeErr: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr })
  for (const inner of command.commands) quiet(inner, writeErr)
}
