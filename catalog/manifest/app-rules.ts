/** Rules for what an app has with others and with its own past: `provides`, `needs`, `update`, `adopt`. */
import semver from 'semver'
import {
  type AnyManifest,
  problem,
  type RuleProblem,
  repeated,
  unknownName,
  usesHostNetwork,
} from './rule.ts'

const RANGE_WANTED = 'must be a range of versions, such as ">=26.0 <28"'

export function appProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return [
    ...providedProblems(manifest),
    ...needProblems(manifest),
    ...problem('update.from', ['update', 'from'], badRange(manifest.update.from)),
    ...adoptionProblems(manifest),
  ]
}

function badRange(text: string | undefined): string | undefined {
  return text === undefined || semver.validRange(text) !== null ? undefined : RANGE_WANTED
}

function providedProblems({ provides, components }: AnyManifest): readonly RuleProblem[] {
  return Object.entries(provides).flatMap(([name, { component }]) => {
    const path = ['provides', name, 'component']
    const unknown = unknownName('component', component, components)
    const provider = unknown === undefined ? components[component] : undefined
    return [
      ...problem('provides.component', path, unknown),
      ...problem(
        'provides.component',
        path,
        provider?.role === 'job' && `components.${component} is a job; name a service`,
      ),
      ...problem(
        'provides.component',
        path,
        provider !== undefined &&
          usesHostNetwork(provider) &&
          `components.${component} has the grant host-network, and others reach it over a network of the app; ` +
            'delete the grant',
      ),
    ]
  })
}

function needProblems({ id, needs }: AnyManifest): readonly RuleProblem[] {
  return Object.entries(needs).flatMap(([alias, { app, versions }]) => {
    const at = ['needs', alias] as const
    return [
      ...problem(
        'needs.self',
        [...at, 'app'],
        app === id && `${app} is this app; use dependsOn between its components`,
      ),
      ...problem('needs.versions', [...at, 'versions'], badRange(versions)),
    ]
  })
}

function adoptionProblems({ adopt, components }: AnyManifest): readonly RuleProblem[] {
  const unknown = Object.keys(adopt).flatMap(name =>
    problem('adopt.component', ['adopt', name], unknownName('component', name, components)),
  )
  const claims = Object.entries(adopt).flatMap(([name, containers]) =>
    containers.map((container, index) => ({
      key: container,
      path: ['adopt', name, index],
      shown: `the container ${container} is already adopted as components.`,
    })),
  )
  return [...unknown, ...repeated('adopt.once', claims)]
}
