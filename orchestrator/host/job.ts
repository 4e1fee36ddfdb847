/** Starts one unit and waits for the end of the job, on a connection of its own so that no signal is missed. */
import { HostError } from '../errors.ts'
import { openBus } from './bus.ts'
import { callManager, MANAGER, REPLACE, SYSTEMD } from './manager.ts'

/** @throws HostError `HOST_COMMAND_FAILED` when it does not come up, `HOST_COMMAND_TIMEOUT`, `HOST_UNREACHABLE` */
export async function startAndWait(
  busPath: string,
  unit: string,
  timeoutMs: number,
): Promise<void> {
  const ended = new Map<unknown, unknown>()
  let wake = (): void => {}
  const bus = await openBus(busPath, {
    onSignal({ member, body: [, job, , result] }) {
      if (member === 'JobRemoved') ended.set(job, result)
      wake()
    },
    onLost: () => wake(),
  })
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    wake()
  }, timeoutMs)
  try {
    await callManager(bus, 'Subscribe')
    await bus.match(
      `type='signal',sender='${SYSTEMD}',interface='${MANAGER}',member='JobRemoved',arg2='${unit}'`,
    )
    const job = await callManager(bus, 'StartUnit', 'ss', [unit, REPLACE])
    while (!ended.has(job) && bus.isOpen() && !isLate) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    throwUnlessDone(unit, ended.get(job), timeoutMs)
  } finally {
    clearTimeout(late)
    bus.close()
  }
}

function throwUnlessDone(unit: string, result: unknown, timeoutMs: number): void {
  if (result === 'done') return
  if (result === undefined) {
    throw new HostError('HOST_COMMAND_TIMEOUT', `${unit} did not start within ${timeoutMs} ms`)
  }
  const advice = `see "systemctl --user status ${unit}"`
  throw new HostError('HOST_COMMAND_FAILED', `${unit} did not start: ${String(result)}; ${advice}`)
}
