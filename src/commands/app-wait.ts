/** Waits until an app that was asked for runs, or could not be brought. */
import { NodeError } from '../core/errors.ts'
import type { ControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import type { AppCommandContext } from './app.ts'
import { describeApp } from './app-text.ts'

class AppCommandError extends NodeError<'APP_FAILED'> {}

/** A person watches the progress; twice a second looks alive and costs nothing. */
const POLL_INTERVAL_MS = 500

/** @throws AppCommandError `APP_FAILED` */
export async function waitUntilSettled(
  { io, clock, stopped }: AppCommandContext,
  client: ControlClient,
  path: string,
): Promise<AppView> {
  let shown = ''
  for (;;) {
    const view = (await client.call('GET', path)) as AppView
    const line = describeApp(view)
    if (line !== shown && io.isTty) io.stderr(`\r\u001b[2K${line}`)
    shown = line
    if (view.next === undefined && (view.state === 'running' || view.state === 'stopped')) {
      if (io.isTty) io.stderr('\r\u001b[2K')
      return view
    }
    if (view.error !== undefined) {
      if (io.isTty) io.stderr('\n')
      throw new AppCommandError(
        'APP_FAILED',
        `${view.id}: ${view.error.message} (${view.error.code})`,
      )
    }
    await clock.sleep(POLL_INTERVAL_MS, stopped)
  }
}
