/** The rule between a manifest and its images: no volume of an image may be left to an anonymous volume. Pure. */
import { posix } from 'node:path'
import { pathText } from '../../src/core/schema.ts'
import { ManifestError } from '../errors.ts'
import type { AuthorManifest } from '../manifest/schema.ts'

/**
 * Podman makes an anonymous volume for each `VOLUME` of an image that nothing is mounted on exactly; what the app
 * writes there is gone with the container, at the next update.
 * @param volumes for each image key, the `VOLUME` paths of its configs
 * @throws ManifestError `MANIFEST_INVALID` naming component and path
 */
export function checkVolumes(
  manifest: AuthorManifest,
  volumes: ReadonlyMap<string, readonly string[]>,
  fileName: string,
): void {
  const problems = Object.entries(manifest.components).flatMap(([name, { image, mounts }]) => {
    const covered = new Set(mounts.map(({ path }) => path))
    return [...new Set(volumes.get(image))]
      .filter(volume => !covered.has(cleanPath(volume)))
      .map(volume => {
        const path = pathText(['components', name, 'mounts'])
        const why = `image ${image} has the volume ${JSON.stringify(volume.slice(0, 255))}`
        return `${fileName}: ${path}: ${why}, which no mount covers; its data would be lost at the next update`
      })
  })
  if (problems.length === 0) return
  throw new ManifestError('MANIFEST_INVALID', `${fileName} leaves image volumes without a mount`, {
    problems,
  })
}

function cleanPath(volume: string): string {
  const path = posix.normalize(`/${volume}`)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
