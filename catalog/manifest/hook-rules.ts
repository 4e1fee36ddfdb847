/** Rules for hooks: a step does one thing, at a time and a place where it can be done. */
import { isInside, RUNTIME_PATHS } from './mount-rules.ts'
import {
  type AnyManifest,
  problem,
  type RuleProblem,
  unknownName,
  usesHostNetwork,
} from './rule.ts'

type Step = AnyManifest['hooks']['preStart'][number]
type Path = readonly PropertyKey[]

const VERBS = ['exec', 'render', 'copyIn', 'waitFor'] as const

export function hookProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return Object.entries(manifest.hooks).flatMap(([point, steps]) =>
    steps.flatMap((step, index) => {
      const at = ['hooks', point, index]
      return [
        ...verbProblems(at, point, step),
        ...renderProblems(manifest, at, step),
        ...copyProblems(manifest, at, step),
        ...waitProblems(manifest, at, step),
        ...componentProblem(manifest, [...at, 'exec', 'component'], step.exec?.component),
      ]
    }),
  )
}

function verbProblems(at: Path, point: string, step: Step): readonly RuleProblem[] {
  const verbs = VERBS.filter(verb => step[verb] !== undefined)
  const early = point === 'preStart' ? verbs.find(verb => verb !== 'render') : undefined
  return [
    ...problem(
      'hook.verb',
      at,
      verbs.length === 0 && `needs one of ${VERBS.join(', ')}, such as exec: { component, argv }`,
    ),
    ...problem(
      'hook.verb',
      at,
      verbs.length > 1 && `has ${verbs.join(' and ')}; make a step of each`,
    ),
    ...problem(
      'hook.point',
      [...at, early ?? ''],
      early &&
        `no container of the app runs at preStart; move ${early} to postStart, or make a job of it`,
    ),
  ]
}

function componentProblem(
  { components }: AnyManifest,
  path: Path,
  name: string | undefined,
): readonly RuleProblem[] {
  if (name === undefined) return []
  const isJob = Object.hasOwn(components, name) && components[name]?.role === 'job'
  return problem(
    'hook.component',
    path,
    unknownName('component', name, components) ??
      (isJob && `components.${name} is a job and has ended by then; name a service`),
  )
}

function renderProblems({ data }: AnyManifest, at: Path, { render }: Step): readonly RuleProblem[] {
  if (render === undefined) return []
  return [
    ...problem('hook.data', [...at, 'render', 'data'], unknownName('data set', render.data, data)),
    ...problem(
      'hook.place',
      [...at, 'render', 'path'],
      render.path === '/' && 'must name a file inside the data set, such as /settings.json',
    ),
  ]
}

function copyProblems(manifest: AnyManifest, at: Path, { copyIn }: Step): readonly RuleProblem[] {
  if (copyIn === undefined) return []
  const path = [...at, 'copyIn', 'to']
  const owner = RUNTIME_PATHS.find(runtime => isInside(copyIn.to, runtime))
  return [
    ...componentProblem(manifest, [...at, 'copyIn', 'component'], copyIn.component),
    ...problem('hook.place', path, copyIn.to === '/' && 'must name a file, such as /data/my.conf'),
    ...problem(
      'hook.place',
      path,
      owner && `${copyIn.to} belongs to the container runtime; copy into a mount of the component`,
    ),
  ]
}

function waitProblems(manifest: AnyManifest, at: Path, { waitFor }: Step): readonly RuleProblem[] {
  if (waitFor === undefined) return []
  const path = [...at, 'waitFor']
  const kinds = (['tcp', 'http', 'exec'] as const).filter(kind => waitFor[kind] !== undefined)
  const asked = waitFor.tcp?.port ?? waitFor.http?.port
  const components = Object.values(manifest.components)
  const answers =
    components.some(usesHostNetwork) ||
    components.some(({ ports }) => ports.some(p => p.host === asked && p.protocol === 'tcp'))
  return [
    ...problem('hook.wait', path, kinds.length === 0 && 'needs one of tcp, http and exec'),
    ...problem(
      'hook.wait',
      path,
      kinds.length > 1 && `has ${kinds.join(' and ')}; make a step of each`,
    ),
    ...problem(
      'hook.wait',
      path,
      asked !== undefined &&
        !answers &&
        `waits for port ${asked}, which no component publishes as a tcp host port; use exec`,
    ),
    ...componentProblem(manifest, [...path, 'exec', 'component'], waitFor.exec?.component),
  ]
}
