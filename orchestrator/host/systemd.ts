/** The user's own systemd, over the message bus. */
import { join } from 'node:path'
import type { Systemd } from '../ports.ts'
import { errorNameOf } from './bus.ts'
import { startAndWait } from './job.ts'
import { callManager, REPLACE, SYSTEMD } from './manager.ts'
import { runOrThrow } from './run.ts'
import { createSessions } from './systemd-session.ts'
import { unitFile } from './unit-origin.ts'

/** Every generator of the user runs in it; nothing else of systemd answers meanwhile. */
const RELOAD_TIMEOUT_MS = 180_000
const SIGKILL = 9
const GONE = [`${SYSTEMD}.NoSuchUnit`, `${SYSTEMD}.LoadFailed`]
const NO_PROCESS = [`${SYSTEMD}.NoSuchProcess`]

/** `runtimeFolder` is the user's: `/run/user/UID`. The bus is connected when it is first needed. */
export function createSystemd(runtimeFolder: string): Systemd {
  const busPath = join(runtimeFolder, 'bus')
  const listeners = new Set<() => void>()
  const { use } = createSessions(busPath, () => {
    for (const listener of listeners) listener()
  })

  const manager = (member: string, signature = '', body: readonly unknown[] = []) =>
    use(({ bus }) => callManager(bus, member, signature, body))
  const reload = () => use(({ bus }) => callManager(bus, 'Reload', '', [], RELOAD_TIMEOUT_MS))

  return {
    async daemonReload() {
      await reload()
    },
    async start(units) {
      await allDone(units.map(unit => manager('StartUnit', 'ss', [unit, REPLACE])))
    },
    startAndWait: (unit, timeoutMs) => startAndWait(busPath, unit, timeoutMs),
    async enable(unit) {
      await manager('EnableUnitFiles', 'asbb', [[unit], false, false])
      await reload()
    },
    async disable(unit) {
      await manager('DisableUnitFiles', 'asb', [[unit], false])
      await reload()
    },
    async stop(units) {
      // Units that were never loaded have nothing to stop.
      await allDone(units.map(unit => tolerate(manager('StopUnit', 'ss', [unit, REPLACE]), GONE)))
    },
    async kill(unit) {
      await tolerate(manager('KillUnit', 'ssi', [unit, 'all', SIGKILL]), [...GONE, ...NO_PROCESS])
    },
    async resetFailed(unit) {
      await tolerate(manager('ResetFailedUnit', 's', [unit]), GONE)
    },
    units: names => use(({ reader }) => reader.read(names)),
    unitFile,
    async logs(unit, lines) {
      return await runOrThrow([
        ...['journalctl', '--user', '--quiet', '--no-pager', '--output=cat'],
        ...[`--lines=${lines}`, `--user-unit=${unit}`],
      ])
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What the caller wants is so already. */
async function tolerate(call: Promise<unknown>, names: readonly string[]): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!names.includes(errorNameOf(error) ?? '')) throw error
  }
}

/** Every call is made, also after one that failed; then the first failure is thrown. */
async function allDone(calls: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
