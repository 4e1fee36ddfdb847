/** Starts and stops containers that this node did not make, by whatever runs them. */
import type { Context } from '../context.ts'
import { stopDeadlineMs } from '../deadlines.ts'
import { OrchestratorError } from '../errors.ts'
import type { AppSpec } from '../spec.ts'
import type { Adopted, AdoptedContainer } from './adopted.ts'

const POLL_MS = 400

/** Those that others wait for first. */
export async function startAdopted(
  context: Context,
  spec: AppSpec,
  adopted: Adopted,
): Promise<void> {
  const { podman, systemd } = context.deps
  for (const { unit, name } of inStartOrder(spec, adopted.containers)) {
    if (unit === undefined) await podman.startContainer(name)
    else {
      await systemd.resetFailed(unit)
      await systemd.start([unit])
    }
  }
}

/** Those that others wait for last. Every container gets the grace of its component. */
export async function stopAdopted(
  context: Context,
  spec: AppSpec,
  adopted: Adopted,
  signal: AbortSignal,
): Promise<void> {
  const { podman, systemd } = context.deps
  for (const { unit, name, component } of inStartOrder(spec, adopted.containers).reverse()) {
    const graceMs = spec.components.find(each => each.name === component)?.graceMs ?? 0
    if (unit !== undefined) {
      await systemd.stop([unit])
      await waitUntilDown(context, spec, unit, signal)
    } else if (await isRunning(context, name)) {
      await podman.stopContainer(name, graceMs)
    }
  }
}

async function isRunning({ deps }: Context, name: string): Promise<boolean> {
  const containers = await deps.podman.containers()
  return containers.some(each => each.name === name && each.status === 'running')
}

async function waitUntilDown(
  { deps: { systemd, clock } }: Context,
  spec: AppSpec,
  unit: string,
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + stopDeadlineMs(spec)
  for (;;) {
    const active = (await systemd.units([unit])).get(unit)?.active ?? 'not-found'
    if (['inactive', 'failed', 'not-found'].includes(active)) return
    if (clock.monotonicMs() > deadlineMs) {
      throw new OrchestratorError('STOP_FAILED', `${unit} did not stop; nothing was changed`)
    }
    await clock.sleep(POLL_MS, signal)
  }
}

function inStartOrder(
  spec: AppSpec,
  containers: readonly AdoptedContainer[],
): readonly AdoptedContainer[] & { reverse(): AdoptedContainer[] } {
  const depthOf = (name: string, seen: readonly string[] = []): number => {
    const component = spec.components.find(each => each.name === name)
    const others = component?.dependsOn.filter(each => !seen.includes(each)) ?? []
    return 1 + Math.max(0, ...others.map(each => depthOf(each, [...seen, name])))
  }
  return [...containers].sort((a, b) => depthOf(a.component) - depthOf(b.component))
}
