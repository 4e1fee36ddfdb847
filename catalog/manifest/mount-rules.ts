/** Rules for what is mounted into a component: data sets that exist, places that do not cover each other. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'

/** The container runtime owns these; a mount there breaks the container or opens the host. */
export const RUNTIME_PATHS = ['/dev', '/proc', '/sys'] as const

interface Place {
  readonly path: readonly PropertyKey[]
  readonly target: string
}

export function mountProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return Object.entries(manifest.components).flatMap(([name, component]) => {
    const at = ['components', name, 'mounts']
    const unknown = component.mounts.flatMap((mount, index) =>
      'data' in mount
        ? problem(
            'mount.data',
            [...at, index, 'data'],
            unknownName('data set', mount.data, manifest.data),
          )
        : [],
    )
    const places = placesOf(manifest, name)
    return [...unknown, ...places.flatMap(reservedPlace), ...overlaps(places)]
  })
}

function placesOf(manifest: AnyManifest, name: string): readonly Place[] {
  const component = manifest.components[name]
  return (['mounts', 'files', 'secretFiles'] as const).flatMap(field =>
    (component?.[field] ?? []).map(({ path: target }, index) => ({
      path: ['components', name, field, index, 'path'],
      target,
    })),
  )
}

function reservedPlace({ path, target }: Place): readonly RuleProblem[] {
  if (target === '/dev/shm')
    return problem('mount.place', path, 'use resources.shm to size /dev/shm')
  const owner = RUNTIME_PATHS.find(runtime => isInside(target, runtime))
  return [
    ...problem('mount.place', path, target === '/' && 'the root of a container cannot be covered'),
    ...problem('mount.place', path, owner && `${target} belongs to the container runtime`),
  ]
}

/** Which of two mounts wins would depend on their order; one of the two would silently be invisible. */
function overlaps(places: readonly Place[]): readonly RuleProblem[] {
  return places.flatMap((place, index) => {
    const { path, target } = place
    const other = places
      .slice(0, index)
      .find(earlier => isInside(target, earlier.target) || isInside(earlier.target, target))
    return problem('mount.overlap', path, other && overlapText(place, other))
  })
}

function overlapText({ target, path }: Place, other: Place): string {
  const text = `${target} overlaps ${other.target}, which is mounted as well`
  return path[2] === 'files'
    ? `${text}; to put a file into a data set, use render in hooks.preStart`
    : text
}

export function isInside(inner: string, outer: string): boolean {
  return inner === outer || outer === '/' || inner.startsWith(`${outer}/`)
}
