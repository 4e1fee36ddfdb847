/** Starts and stops the units of one app and waits until that is true. Records are the caller's. */

import { hopeless, isHealthy, type Observed } from './component-status.ts'
import type { Context } from './context.ts'
import { startDeadlineMs, stopDeadlineMs } from './deadlines.ts'
import { OrchestratorError } from './errors.ts'
import { targetUnit } from './names.ts'
import { observeApp, takeSnapshot } from './observe.ts'
import type { AppSpec } from './spec.ts'

/** Often enough that nobody notices the wait; one `systemctl show` costs about 10 ms. */
const POLL_MS = 400
/** A component without any check counts as healthy once it stayed up this long. */
const SETTLE_MS = 3000
/** After SIGKILL systemd needs this long at most to notice. */
const KILL_WAIT_MS = 15_000

/**
 * Starts the app and waits until every component is up, and healthy for `healthyForMs` without a break.
 * @throws OrchestratorError `APP_UNHEALTHY` after the manifest's start budget, or as soon as it is hopeless; the
 * units are left to systemd, which goes on trying.
 */
export async function startApp(
  context: Context,
  spec: AppSpec,
  signal: AbortSignal,
  healthyForMs = 0,
): Promise<void> {
  const { systemd, clock } = context.deps
  const units = unitsOf(spec)
  for (const unit of units) await systemd.resetFailed(unit)
  await systemd.start(units)
  const deadlineMs = clock.monotonicMs() + startDeadlineMs(spec)
  const isUnchecked = spec.components.some(({ probe }) => probe.kind === 'none')
  const settleMs = Math.max(healthyForMs, isUnchecked ? SETTLE_MS : 0)
  let healthySinceMs: number | undefined
  for (;;) {
    const observed = await observeStart(context, spec)
    const nowMs = clock.monotonicMs()
    healthySinceMs = isHealthy(spec, observed) ? (healthySinceMs ?? nowMs) : undefined
    if (healthySinceMs !== undefined && nowMs - healthySinceMs >= settleMs) return
    const reason =
      hopeless(spec, observed) ??
      (nowMs > deadlineMs + settleMs
        ? `not healthy after ${startDeadlineMs(spec) / 1000} s`
        : undefined)
    if (reason !== undefined) {
      throw new OrchestratorError('APP_UNHEALTHY', `${spec.id} ${spec.version}: ${reason}`)
    }
    await clock.sleep(POLL_MS, signal)
  }
}

/**
 * Stops the app and waits until no process of it is left. Every component gets its grace; what outlives the
 * deadline, which is longer, is killed.
 * @returns whether a component had to be killed or ended with an error; systemd does not tell the two apart.
 * @throws OrchestratorError `STOP_FAILED` when even that does not end it.
 */
export async function stopApp(
  context: Context,
  spec: AppSpec,
  signal: AbortSignal,
): Promise<{ readonly wasKilled: boolean }> {
  const { systemd, podman, log } = context.deps
  const units = unitsOf(spec)
  await systemd.stop(units)
  let wasKilled = false
  if (!(await waitUntilDown(context, spec, stopDeadlineMs(spec), signal))) {
    wasKilled = true
    log.warn('app did not stop in time and is killed', { app: spec.id })
    for (const { unit } of spec.components) await systemd.kill(unit)
    if (!(await waitUntilDown(context, spec, KILL_WAIT_MS, signal))) {
      throw new OrchestratorError('STOP_FAILED', `${spec.id} still runs after SIGKILL`)
    }
  }
  const after = await systemd.units(spec.components.map(({ unit }) => unit))
  wasKilled ||= [...after.values()].some(({ active }) => active === 'failed')
  for (const { name, labels } of await podman.containers()) {
    if (labels['app.id'] === spec.id) await podman.removeContainer(name)
  }
  for (const unit of units) await systemd.resetFailed(unit)
  return { wasKilled }
}

/** A network unit stays `active (exited)` for ever unless it is stopped; a reinstall then has no network. */
export async function removeNetworks({ deps }: Context, spec: AppSpec): Promise<void> {
  await deps.systemd.stop(spec.networks.map(({ unit }) => unit))
  for (const { name, unit } of spec.networks) {
    await deps.systemd.resetFailed(unit)
    await deps.podman.removeNetwork(name)
  }
}

/** Podman and the ports are only asked once systemd says that everything is up: each look costs far more. */
async function observeStart(context: Context, spec: AppSpec): Promise<Observed> {
  const units = await context.deps.systemd.units(unitsOf(spec))
  const isUp = spec.components.every(({ unit }) => units.get(unit)?.active === 'active')
  if (!isUp) return { units, containers: [], answering: new Set() }
  return await observeApp(context, spec, await takeSnapshot(context, [spec]))
}

function unitsOf(spec: AppSpec): readonly string[] {
  return [targetUnit(spec.id), ...spec.components.map(({ unit }) => unit)]
}

async function waitUntilDown(
  { deps: { systemd, clock } }: Context,
  spec: AppSpec,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const states = await systemd.units(unitsOf(spec))
    const isDown = [...states.values()].every(({ active }) =>
      ['inactive', 'failed', 'not-found'].includes(active),
    )
    if (isDown) return true
    if (clock.monotonicMs() > deadlineMs) return false
    await clock.sleep(POLL_MS, signal)
  }
}
