/** Rules for probes: each is one question, asked where an answer can come from. */
import { type AnyManifest, problem, type RuleProblem, usesHostNetwork } from './rule.ts'

/** With these the engine reads the rest in its own way. */
const ENGINE_WORDS: ReadonlySet<string> = new Set(['CMD', 'CMD-SHELL', 'NONE'])

type Component = AnyManifest['components'][string]
type Probe = Pick<NonNullable<Component['health']>, 'exec' | 'http' | 'tcp'>

/** For the readiness probe itself, and for `startup` and `live`. A job has none; that is a rule of its own. */
export function healthProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return Object.entries(manifest.components).flatMap(([name, component]) => {
    const { health, role } = component
    if (health === undefined || role === 'job') return []
    const at = ['components', name, 'health'] as const
    const { startup, live } = health
    return [
      ...probeProblems(at, name, component, health),
      ...(startup ? probeProblems([...at, 'startup'], name, component, startup) : []),
      ...(live ? probeProblems([...at, 'live'], name, component, live) : []),
    ]
  })
}

function probeProblems(
  path: readonly PropertyKey[],
  name: string,
  component: Component,
  probe: Probe,
): readonly RuleProblem[] {
  const kinds = (['exec', 'http', 'tcp'] as const).filter(kind => probe[kind] !== undefined)
  const asked = probe.http?.port ?? probe.tcp?.port
  const isPublished = component.ports.some(p => p.host === asked && p.protocol === 'tcp')
  return [
    ...problem(
      'health.one-probe',
      path,
      kinds.length === 0 && 'needs one of exec, http and tcp, such as exec: [my-check]',
    ),
    ...problem(
      'health.one-probe',
      path,
      kinds.length > 1 && `has ${kinds.join(' and ')}; only one is possible`,
    ),
    ...problem(
      'health.exec',
      [...path, 'exec', 0],
      ENGINE_WORDS.has((probe.exec?.[0] ?? '').toUpperCase()) &&
        'is a word of Compose, not a program; write [my-check], or [sh, -c, "…"] for a shell command',
    ),
    ...problem(
      'health.port',
      path,
      asked !== undefined &&
        !isPublished &&
        !usesHostNetwork(component) &&
        `asks port ${asked}, which is not a tcp host port of components.${name}; ` +
          'publish it with ports, or ask inside the container with exec',
    ),
  ]
}
