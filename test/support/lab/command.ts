/** Runs one program to its end, with a bound on its time and on its output. */
import { type ChildProcess, spawn } from 'node:child_process'
import { LabError } from './errors.ts'

/** More than any journal or package list that a test reads; less than what hurts this process. */
export const OUTPUT_BYTES_MAX = 32 * 1024 * 1024

/** Long enough for any single step except the build of the base, which brings its own. */
export const COMMAND_TIMEOUT_MS = 120_000

export interface CommandResult {
  /** Exit status; `undefined` when a signal ended the program. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

export interface CommandOptions {
  readonly input?: string | Uint8Array
  readonly timeoutMs?: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Called with each line of standard output and standard error as it comes. */
  readonly onLine?: (line: string) => void
  /** What ends the program when its time is over; SIGKILL to the child unless told. */
  readonly kill?: (child: ChildProcess) => void
}

/**
 * Runs `argv` and returns how it ended; a status other than 0 is not an error here.
 * @throws LabError `LAB_OUTPUT_TOO_LARGE`; an error of Node (`ENOENT`) when there is no such program.
 */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program = '', ...rest] = argv
  const { cwd, env, onLine } = options
  const kill = options.kill ?? (child => child.kill('SIGKILL'))
  const child = spawn(program, rest, {
    stdio: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  })
  let timedOut = false
  let tooLarge = false
  function refuse(): void {
    tooLarge = true
    kill(child)
  }
  const stdout = collect(child.stdout, refuse, onLine)
  const stderr = collect(child.stderr, refuse, onLine)
  // The program may end without having read its input: its exit status says what that means.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const timer = setTimeout(() => {
    timedOut = true
    kill(child)
  }, options.timeoutMs ?? COMMAND_TIMEOUT_MS)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (tooLarge) {
      throw new LabError(
        'LAB_OUTPUT_TOO_LARGE',
        `${argv.join(' ')} wrote more than ${OUTPUT_BYTES_MAX} bytes; send its output to a file`,
      )
    }
    return { code: code ?? undefined, stdout: stdout(), stderr: stderr(), timedOut }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs `argv`, which must succeed, and returns its standard output without blank space around it.
 * @throws LabError `LAB_COMMAND_FAILED` with the end of what it wrote.
 */
export async function runOk(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(argv, options)
  if (result.code !== 0) throw commandFailed(argv, result)
  return result.stdout.trim()
}

/** Why a command that had to succeed did not. */
export function commandFailed(argv: readonly string[], result: CommandResult): LabError {
  const ended = result.timedOut ? 'ran out of time' : `ended with ${result.code ?? 'a signal'}`
  const tail = `${result.stdout}${result.stderr}`.trim().split('\n').slice(-20).join('\n')
  return new LabError('LAB_COMMAND_FAILED', `${argv.join(' ')} ${ended}\n${tail}`)
}

function collect(
  stream: NodeJS.ReadableStream,
  refuse: () => void,
  onLine: ((line: string) => void) | undefined,
): () => string {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > OUTPUT_BYTES_MAX) refuse()
    else chunks.push(chunk)
    if (onLine === undefined) return
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  return () => Buffer.concat(chunks).toString()
}
