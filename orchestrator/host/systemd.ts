/** The user's own systemd through `systemctl --user`. */
import type { Systemd, UnitState } from '../ports.ts'
import { commandFailed, run, runOrThrow } from './run.ts'

const PROPERTIES = 'Id,LoadState,ActiveState,SubState,Result,NRestarts'

export function createSystemd(): Systemd {
  return {
    async daemonReload() {
      await systemctl('daemon-reload')
    },
    async start(units) {
      await systemctl('start', '--no-block', ...units)
    },
    async startAndWait(unit, timeoutMs) {
      await runOrThrow(['systemctl', '--user', 'start', unit], { timeoutMs })
    },
    async enable(unit) {
      await systemctl('enable', unit)
    },
    async disable(unit) {
      await systemctl('disable', unit)
    },
    async stop(units) {
      // Units that were never loaded have nothing to stop.
      const argv = ['systemctl', '--user', 'stop', '--no-block', ...units]
      const result = await run(argv)
      if (result.code !== 0 && !/not loaded|not found/.test(result.stderr)) {
        throw commandFailed(argv, result)
      }
    },
    async kill(unit) {
      // Fails when the unit has no process left, which is what the caller wants.
      await run(['systemctl', '--user', 'kill', '--kill-whom=all', '--signal=SIGKILL', unit])
    },
    async resetFailed(unit) {
      // Fails when the unit is not loaded, which is as good.
      await run(['systemctl', '--user', 'reset-failed', unit])
    },
    async units(names) {
      if (names.length === 0) return new Map()
      return parseUnits(await systemctl('show', `--property=${PROPERTIES}`, '--', ...names))
    },
    async logs(unit, lines) {
      return await runOrThrow([
        ...['journalctl', '--user', '--quiet', '--no-pager', '--output=cat'],
        ...[`--lines=${lines}`, `--user-unit=${unit}`],
      ])
    },
  }
}

async function systemctl(...words: readonly string[]): Promise<string> {
  return await runOrThrow(['systemctl', '--user', ...words])
}

/** Blocks of `Key=value`, one per unit, with an empty line between. */
export function parseUnits(text: string): ReadonlyMap<string, UnitState> {
  const blocks = text.split(/\n\n+/).map(
    block =>
      new Map(
        block.split('\n').map(line => {
          const at = line.indexOf('=')
          return [line.slice(0, at), line.slice(at + 1)] as const
        }),
      ),
  )
  return new Map(
    blocks
      .filter(block => block.has('Id'))
      .map(block => [
        block.get('Id') ?? '',
        {
          active:
            block.get('LoadState') === 'not-found'
              ? absent(block)
              : (block.get('ActiveState') ?? ''),
          sub: block.get('SubState') ?? '',
          result: block.get('Result') ?? '',
          restarts: Number(block.get('NRestarts') ?? 0),
        },
      ]),
  )
}

/** A unit whose file is gone may still run. */
function absent(block: ReadonlyMap<string, string>): string {
  const active = block.get('ActiveState') ?? ''
  return active === 'inactive' ? 'not-found' : active
}
