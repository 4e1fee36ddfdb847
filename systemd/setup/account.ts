/** The account that is to own the apps, and how root asks its service manager. */
import { type Run, run as runProgram } from '../../orchestrator/index.ts'
import { NodeError } from '../../src/core/errors.ts'

export class InstallerError extends NodeError<'INSTALLER_STEP_FAILED' | 'INSTALLER_REFUSED'> {}

/** Starting the node may take minutes on a slow board. */
const STEP_TIMEOUT_MS = 180_000

export interface Account {
  readonly user: string
  find(): Promise<{ readonly uid: number; readonly home: string } | undefined>
  /** @throws InstallerError `INSTALLER_STEP_FAILED` */
  must(...argv: readonly string[]): Promise<void>
  /** As that user, with its own service manager in reach. @throws InstallerError `INSTALLER_STEP_FAILED` */
  mustAs(...argv: readonly string[]): Promise<void>
  /** Whether it works, without any output. */
  does(...argv: readonly string[]): Promise<boolean>
  isEnabled(unit: string): Promise<boolean>
}

export function createAccount(user: string, run: Run = runProgram): Account {
  const does = async (...argv: readonly string[]): Promise<boolean> =>
    (await run(argv, { timeoutMs: STEP_TIMEOUT_MS })).code === 0

  async function find(): Promise<{ uid: number; home: string } | undefined> {
    const { code, stdout } = await run(['getent', 'passwd', user])
    const fields = stdout.trim().split(':')
    return code === 0 ? { uid: Number(fields[2]), home: fields[5] ?? '' } : undefined
  }

  async function must(...argv: readonly string[]): Promise<void> {
    const { code, stderr } = await run(argv, { timeoutMs: STEP_TIMEOUT_MS })
    if (code === 0) return
    throw new InstallerError(
      'INSTALLER_STEP_FAILED',
      `${argv.join(' ')} ended with ${code}: ${stderr.trim().slice(-500)}`,
    )
  }

  async function as(argv: readonly string[]): Promise<readonly string[]> {
    const runtime = `XDG_RUNTIME_DIR=/run/user/${(await find())?.uid}`
    return ['runuser', '-u', user, '--', 'env', '-C', '/', runtime, ...argv]
  }

  return {
    ...{ user, find, must, does },
    mustAs: async (...argv) => await must(...(await as(argv))),
    isEnabled: async unit =>
      await does(...(await as(['systemctl', '--user', 'is-enabled', '--quiet', unit]))),
  }
}
