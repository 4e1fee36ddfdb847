/** When reconcile passes run: never two at once, and soon after something changed on the machine. */
import { messageOf } from '../src/core/errors.ts'
import type { OrchestratorDeps } from './context.ts'

export interface Passes {
  /** Runs a pass, or waits for the one under way. */
  run(): Promise<void>
  /** Begins one now, and from now on another a moment after every change that the host tells of. */
  begin(): void
  idle(): Promise<void>
}

/** Changes come in bursts; one that fails again and again must not keep the node busy. */
const KICK_DELAY_MS = 2000

export function createPasses(
  { clock, systemd, podman, log }: Pick<OrchestratorDeps, 'clock' | 'systemd' | 'podman' | 'log'>,
  signal: AbortSignal,
  pass: () => Promise<void>,
): Passes {
  let running: Promise<void> | undefined
  let isKicked = false

  function run(): Promise<void> {
    running ??= pass().finally(() => {
      running = undefined
    })
    return running
  }

  async function runAfter(delayMs: number): Promise<void> {
    try {
      await clock.sleep(delayMs, signal)
      isKicked = false
      await run()
    } catch (error) {
      if (!signal.aborted) log.error('reconcile pass failed', { reason: messageOf(error) })
    }
  }

  function kick(): void {
    if (isKicked || signal.aborted) return
    isKicked = true
    void runAfter(KICK_DELAY_MS)
  }

  return {
    run,
    begin() {
      for (const { onChange } of [systemd, podman]) {
        signal.addEventListener('abort', onChange(kick), { once: true })
      }
      void runAfter(0)
    },
    async idle() {
      await running?.catch(() => {
        // Who asked for the pass was told.
      })
    },
  }
}
