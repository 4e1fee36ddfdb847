/** The rule between a manifest and its images: no volume of an image may be left to an anonymous volume. Pure. */
import { posix } from 'node:path'
import { type AnyManifest, problem, type RuleProblem } from './rule.ts'

const SHOWN_LENGTH_MAX = 255

/**
 * Podman makes an anonymous volume for each `VOLUME` of an image that nothing is mounted on exactly; what the app
 * writes there is gone with the container, at the next stop.
 * @param volumes for each image key, the `VOLUME` paths of its configs
 */
export function volumeProblems(
  { components }: AnyManifest,
  volumes: ReadonlyMap<string, readonly string[]>,
): readonly RuleProblem[] {
  return Object.entries(components).flatMap(([name, { image, mounts }]) => {
    const covered = new Set(mounts.map(({ path }) => path))
    return [...new Set(volumes.get(image))]
      .filter(volume => !covered.has(cleanPath(volume)))
      .flatMap(volume => {
        const shown = JSON.stringify(volume.slice(0, SHOWN_LENGTH_MAX))
        return problem(
          'image.volumes',
          ['components', name, 'mounts'],
          `image ${image} has the volume ${shown}, which no mount covers; its data would be lost at the next stop; ` +
            `add { data: <name>, path: ${cleanPath(volume.slice(0, SHOWN_LENGTH_MAX))} }, or tmpfs in place of data`,
        )
      })
  })
}

function cleanPath(volume: string): string {
  const path = posix.normalize(`/${volume}`)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
