/** A lab for the life of one command: `lab run n1 n2 origin -- COMMAND`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { LabError } from './errors.ts'
import { LAB_ID_VARIABLE } from './handle.ts'
import { addAll, isHostName, startLab } from './start.ts'

/** As shells have it: 128 and the number of the signal. */
const EXIT_SIGNAL_BASE = 128

/** A command that ignores SIGTERM gets SIGKILL, with all it started, when the lab is removed. */
const GRACE_MS = 5_000

/** Splits `n1 n2 origin -- CMD ARGS`. @throws LabError `LAB_USAGE` */
export function parseRun(args: readonly string[]): { names: string[]; command: string[] } {
  const end = args.indexOf('--')
  const names = end === -1 ? [] : args.slice(0, end)
  const command = args.slice(end + 1)
  if (!names.some(isHostName) || command.length === 0) {
    throw new LabError(
      'LAB_USAGE',
      'usage: lab run n1 n2 origin -- COMMAND; "origin" is where COMMAND runs',
    )
  }
  return { names, command }
}

/**
 * Boots the nodes, runs the command on the network of the first bare host, and removes everything. The command has this
 * machine's files and processes, but only the lab's network: no internet.
 * @returns the command's exit status.
 * @throws LabError
 */
export async function runInLab(
  names: readonly string[],
  command: readonly string[],
  onProgress: (line: string) => void,
): Promise<number> {
  const lab = await startLab(onProgress)
  try {
    await addAll(lab, names)
    onProgress(`${lab.id}: ${names.join(' ')} ready`)
    const [program = '', ...args] = await lab.onHost(names.find(isHostName) ?? '', command)
    const child = spawn(program, args, {
      stdio: 'inherit',
      env: { ...process.env, [LAB_ID_VARIABLE]: lab.id },
    })
    return await Promise.race([endOf(child), labDied(lab.ended)])
  } finally {
    await lab.close()
  }
}

async function endOf(child: ChildProcess): Promise<number> {
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal)
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  }
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  try {
    const [code, signal]: unknown[] = await once(child, 'exit')
    if (typeof code === 'number') return code
    return EXIT_SIGNAL_BASE + (constants.signals[signal as NodeJS.Signals] ?? 0)
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}

async function labDied(ended: Promise<unknown>): Promise<never> {
  await ended
  throw new LabError('LAB_NOT_RUNNING', 'the lab ended before its command did')
}
