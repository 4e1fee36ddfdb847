/** Rules for `dependsOn`: the other component exists, can be waited for, and nobody waits in a circle. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'

/** Unknown dependencies, waits that could never end, and cycles. */
export function dependencyProblems(manifest: AnyManifest): readonly RuleProblem[] {
  const names = Object.keys(manifest.components)
  return [...names.flatMap(name => problemsOf(manifest, name)), ...dependencyCycles(manifest)]
}

function problemsOf(manifest: AnyManifest, name: string): readonly RuleProblem[] {
  const needs = Object.entries(manifest.components[name]?.dependsOn ?? {})
  return needs.flatMap(([other, { condition }]) => {
    const path = ['components', name, 'dependsOn', other]
    const unknown = unknownName('component', other, manifest.components)
    return unknown === undefined
      ? conditionProblems(manifest, path, other, condition)
      : problem('depends.exists', path, unknown)
  })
}

function conditionProblems(
  { components }: AnyManifest,
  path: readonly PropertyKey[],
  other: string,
  condition: 'started' | 'healthy' | 'completed',
): readonly RuleProblem[] {
  const isJob = components[other]?.role === 'job'
  return [
    ...problem(
      'depends.completed',
      path,
      isJob &&
        condition === 'healthy' &&
        `components.${other} is a job, which is never healthy; write condition: completed`,
    ),
    ...problem(
      'depends.completed',
      path,
      !isJob &&
        condition === 'completed' &&
        `components.${other} is a service, which never completes; write condition: started or healthy, or role: job there`,
    ),
    ...problem(
      'depends.healthy',
      path,
      !isJob &&
        condition === 'healthy' &&
        components[other]?.health?.exec === undefined &&
        `condition healthy needs health.exec in components.${other}: after a boot nothing else tells systemd`,
    ),
  ]
}

/** One problem for each component that waits for itself, directly or over others. */
function dependencyCycles({ components }: AnyManifest): readonly RuleProblem[] {
  return Object.keys(components).flatMap(start => {
    const cycle = pathBack(start, components)
    const shown = cycle?.join(' → ')
    return problem(
      'depends.cycle',
      ['components', start, 'dependsOn'],
      cycle && `waits for itself: ${shown}`,
    )
  })
}

/** The shortest way from `start` along dependencies back to `start`. */
function pathBack(
  start: string,
  components: AnyManifest['components'],
): readonly string[] | undefined {
  const next = (name: string): readonly string[] => {
    const component = Object.hasOwn(components, name) ? components[name] : undefined
    return Object.keys(component?.dependsOn ?? {})
  }
  const seen = new Set<string>()
  let ways: readonly (readonly string[])[] = [[start]]
  while (ways.length > 0) {
    const longer = ways.flatMap(way => next(way.at(-1) ?? '').map(name => [...way, name]))
    const found = longer.find(way => way.at(-1) === start)
    if (found !== undefined) return found
    ways = longer.filter(way => {
      const name = way.at(-1) ?? ''
      const isNew = !seen.has(name)
      seen.add(name)
      return isNew
    })
  }
  return undefined
}
