/** Runs one command to its end, in this process, as a person without a terminal would. */
import type { Command } from 'commander'
import { appCommand } from '../../../src/commands/app.ts'
import type { CommandIo } from '../../../src/commands/io.ts'
import { originCommand } from '../../../src/commands/origin.ts'
import { systemClock } from '../../../src/core/clock.ts'

/** `archy origin` */
export async function runOriginCommand(args: readonly string[], nowMs?: number) {
  const clock = nowMs === undefined ? systemClock : { ...systemClock, nowMs: () => nowMs }
  return await run(args, context => originCommand({ ...context, clock }))
}

/** `archy app`, where no node runs. */
export async function runAppCommand(args: readonly string[]) {
  return await run(args, context =>
    appCommand({ ...context, clock: systemClock, socket: '/nowhere/control.sock' }),
  )
}

interface RunContext {
  readonly io: CommandIo
  readonly stopped: AbortSignal
  readonly fail: () => void
}

async function run(args: readonly string[], make: (context: RunContext) => Command) {
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
  let isWell = true
  const fail = (): void => {
    isWell = false
  }
  const stopped = new AbortController().signal
  const command = make({ io, stopped, fail })
  quiet(command, text => io.stderr(text))
  await command.parseAsync(args, { from: 'user' })
  return { out, err, isWell }
}

function quiet(command: Command, writeErr: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr })
  for (const inner of command.commands) quiet(inner, writeErr)
}
