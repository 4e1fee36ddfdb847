/** The rule for images of an author's manifest: they are beside it, not in a registry. */
import { type AnyManifest, problem, type RuleProblem } from './rule.ts'

/** A tag, a digest, or the host name of a registry. */
const IMAGE_NAME = /[:@]|^[a-z0-9-]+(\.[a-z0-9-]+)*\.(io|com|net|org|dev)\//

export function imageProblems({ images }: AnyManifest): readonly RuleProblem[] {
  return Object.entries(images).flatMap(([name, image]) => {
    const place = typeof image === 'object' && image !== null && 'oci' in image ? image.oci : ''
    return problem(
      'image.reference',
      ['images', name, 'oci'],
      IMAGE_NAME.test(String(place)) &&
        `is a name in a registry, which nodes never ask; save one version of it beside the manifest ` +
          `(skopeo copy docker://… oci:images/${name}) and write oci: images/${name}`,
    )
  })
}
