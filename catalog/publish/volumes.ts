/** Refuses to publish an app whose image has a volume that no mount covers. Pure. */
import { pathText } from '../../src/core/schema.ts'
import { ManifestError } from '../errors.ts'
import { manifestProblemText } from '../manifest/parse.ts'
import type { AuthorManifest } from '../manifest/schema.ts'
import { volumeProblems } from '../manifest/volume-rules.ts'

/**
 * @param volumes for each image key, the `VOLUME` paths of its configs
 * @throws ManifestError `MANIFEST_INVALID` naming component and path
 */
export function checkVolumes(
  manifest: AuthorManifest,
  volumes: ReadonlyMap<string, readonly string[]>,
  fileName: string,
): void {
  const problems = volumeProblems(manifest, volumes).map(({ rule, path, message }) =>
    manifestProblemText(fileName, { rule, path: pathText(path), message, position: undefined }),
  )
  if (problems.length === 0) return
  throw new ManifestError('MANIFEST_INVALID', `${fileName} leaves image volumes without a mount`, {
    problems,
  })
}
