/** Runs one program of the host: argv without a shell, a deadline, bounded output. The only importer of `execa`. */
import { execa } from 'execa'
import { HostError } from '../errors.ts'

export interface RunOptions {
  readonly timeoutMs?: number
  /** Goes to standard input; nothing secret belongs into argv. */
  readonly input?: Uint8Array
  readonly signal?: AbortSignal
  readonly environment?: Readonly<Record<string, string>>
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type Run = (argv: readonly string[], options?: RunOptions) => Promise<RunResult>

/** Longer than any command here takes on a slow board under load; loads of images state their own. */
const TIMEOUT_MS_DEFAULT = 60_000
/** `podman ps` of hundreds of containers is well below. */
const OUTPUT_BYTES_MAX = 16 * 2 ** 20
const SHOWN_CHARACTERS_MAX = 500

/** A failed program is a result, not an error; see `runOrThrow`. @throws HostError for the other two codes. */
export const run: Run = async (argv, options = {}) => {
  const [file = '', ...words] = argv
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT
  const result = await execa(file, words, {
    reject: false,
    timeout: timeoutMs,
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { LC_ALL: 'C.UTF-8', ...options.environment },
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  })
  options.signal?.throwIfAborted()
  if (result.timedOut) {
    throw new HostError(
      'HOST_COMMAND_TIMEOUT',
      `${commandText(argv)} did not end within ${timeoutMs} ms and was stopped`,
    )
  }
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new HostError('HOST_PROGRAM_MISSING', `cannot run ${file}; is it installed?`, {
      cause: result.cause,
    })
  }
  return { code: result.exitCode ?? 128, stdout: result.stdout, stderr: result.stderr }
}

/** @throws HostError `HOST_COMMAND_FAILED` with what the program wrote to standard error. */
export async function runOrThrow(argv: readonly string[], options?: RunOptions): Promise<string> {
  const result = await run(argv, options)
  if (result.code === 0) return result.stdout
  throw commandFailed(argv, result)
}

export function commandFailed(argv: readonly string[], result: RunResult): HostError {
  const said = result.stderr.trim().slice(-SHOWN_CHARACTERS_MAX)
  return new HostError(
    'HOST_COMMAND_FAILED',
    `${commandText(argv)} ended with ${result.code}${said === '' ? '' : `: ${said}`}`,
  )
}

function commandText(argv: readonly string[]): string {
  return argv.join(' ').slice(0, SHOWN_CHARACTERS_MAX)
}
