/** `archy doctor`: what on this machine would keep apps from running, and what to do about it. Needs no running node. */
import { userInfo } from 'node:os'
import { Command } from 'commander'
import { run } from '../../orchestrator/index.ts'
import { BUILT_MS } from '../built.ts'
import type { Clock } from '../core/clock.ts'
import { collectFacts } from '../doctor/collect.ts'
import { examine, formatResults, reportOf } from '../doctor/examine.ts'
import { type Treatment, treat } from '../doctor/treat.ts'
import type { Folders } from '../folders.ts'
import type { CommandIo } from './io.ts'

export interface DoctorCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly folders: Folders
  readonly runtimeFolder: string | undefined
  /** Ends the program with the code of a failure, after the output. */
  readonly fail: () => void
}

interface DoctorOptions {
  readonly json: boolean
  readonly fix: boolean
}

export function doctorCommand(context: DoctorCommandContext): Command {
  return new Command('doctor')
    .description('check this machine, and say how to mend what is wrong')
    .option('--fix', 'do what is safe and needs no root, then check again', false)
    .option('--json', 'print JSON', false)
    .action(async (options: DoctorOptions) => await doctor(context, options))
}

async function doctor(
  { io, clock, folders, runtimeFolder, fail }: DoctorCommandContext,
  { json, fix }: DoctorOptions,
): Promise<void> {
  const { username, uid, homedir } = userInfo()
  const look = async () =>
    examine(
      await collectFacts({
        ...{ run, clock, folders, runtimeFolder, builtMs: BUILT_MS },
        user: { name: username, uid, home: homedir },
      }),
    )
  let results = await look()
  let treatments: readonly Treatment[] = []
  if (fix) {
    treatments = await treat(results, run)
    if (treatments.length > 0) results = await look()
  }
  const report = reportOf(results)
  if (json) io.stdout(`${JSON.stringify(fix ? { ...report, treatments } : report)}\n`)
  else io.stdout(`${[...treatments.map(treatmentText), formatResults(results)].join('\n')}\n`)
  if (!report.ok) fail()
}

function treatmentText({ did, failure }: Treatment): string {
  return failure === undefined ? `did    ${did}` : `FAILED ${did}: ${failure}`
}
