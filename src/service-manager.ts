/** Tells systemd that the node is ready (sd_notify), when systemd started it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'

/**
 * Node cannot open the datagram socket of sd_notify, so systemd's own program does it; the unit allows that with
 * `NotifyAccess=all`. Without `notifySocket` nothing is done.
 */
export async function notifyServiceManager(
  state: '--ready' | '--stopping',
  notifySocket: string | undefined,
  log: Log,
): Promise<void> {
  if (notifySocket === undefined) return
  try {
    await promisify(execFile)('systemd-notify', [state], {
      env: { NOTIFY_SOCKET: notifySocket, PATH: '/usr/bin:/bin' },
      timeout: 10_000,
    })
  } catch (error) {
    log.warn('systemd not notified', { state, reason: messageOf(error) })
  }
}
