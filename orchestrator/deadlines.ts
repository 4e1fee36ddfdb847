/** How long starting and stopping an app may take, from what its components ask for. Pure. */
import type { AppRecord } from './record.ts'
import type { AppSpec, ComponentSpec } from './spec.ts'

/** For everything around the components: reload, network, removal of containers. */
const MARGIN_MS = 30_000

/** Components start after what they depend on: the longest chain of budgets counts. */
export function startDeadlineMs(spec: AppSpec): number {
  return longestChainMs(spec, component => component.startBudgetMs) + MARGIN_MS
}

/** Always longer than the graces of the longest chain, so that nothing is killed that still had time. */
export function stopDeadlineMs(spec: AppSpec): number {
  return longestChainMs(spec, component => component.graceMs) + MARGIN_MS
}

/** For loading images, and for copies of data: a slow board may take an hour for each. */
const BULK_MS = 2 * 3_600_000
/** SIGKILL, and everything that has no deadline of its own. */
const REST_MS = 5 * 60_000

/** How long the operation of a record may take before something is wrong; the longest of the four stop deadlines. */
export function operationDeadlineMs({ operation, committed }: AppRecord): number {
  const old = committed?.spec
  const stopMs = old === undefined ? 0 : stopDeadlineMs(old)
  const startMs = old === undefined ? 0 : startDeadlineMs(old)
  switch (operation?.kind) {
    case undefined:
      return Number.POSITIVE_INFINITY
    case 'prepare':
      return BULK_MS
    case 'switch':
      return (
        BULK_MS + stopMs + startDeadlineMs(operation.to.spec) + stopDeadlineMs(operation.to.spec)
      )
    case 'take-over':
      return (
        REST_MS +
        stopMs +
        startDeadlineMs(operation.to.spec) +
        stopDeadlineMs(operation.to.spec) +
        startMs
      )
    case 'rollback':
      return BULK_MS + startMs + stopDeadlineMs(operation.from.spec)
    case 'stop':
    case 'uninstall':
      return REST_MS + stopMs
    case 'start':
      return REST_MS + startMs
    case 'restart':
      return REST_MS + stopMs + startMs
    case 'rotate':
      // There and back.
      return 2 * (REST_MS + stopMs + startMs)
    case 'purge':
      return BULK_MS
  }
}

function longestChainMs(spec: AppSpec, costMs: (component: ComponentSpec) => number): number {
  const byName = new Map(spec.components.map(each => [each.name, each]))
  const known = new Map<string, number>()
  const chainMs = (name: string, depth: number): number => {
    const component = byName.get(name)
    if (component === undefined || depth > byName.size) return 0
    const cached = known.get(name)
    if (cached !== undefined) return cached
    const before = component.dependsOn.map(other => chainMs(other, depth + 1))
    const total = costMs(component) + Math.max(0, ...before)
    known.set(name, total)
    return total
  }
  return Math.max(0, ...spec.components.map(({ name }) => chainMs(name, 0)))
}
