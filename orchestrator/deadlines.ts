/** How long starting and stopping an app may take, from what its components ask for. Pure. */
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
