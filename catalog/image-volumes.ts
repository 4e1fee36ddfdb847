/** The last look at a release before it is installed: no volume of its images would lose data. */
import { z } from 'zod'
import { messageOf } from '../src/core/errors.ts'
import { readFileBounded } from '../src/core/files.ts'
import { pathText } from '../src/core/schema.ts'
import type { VerifiedRelease } from './entry.ts'
import { ManifestError } from './errors.ts'
import { manifestProblemText } from './manifest/parse.ts'
import { volumeProblems } from './manifest/volume-rules.ts'

/** What publishers read of an image's config at most. */
const CONFIG_BYTES_MAX = 4 * 2 ** 20

/** Of the config of an OCI image, only what matters here. */
const configSchema = z.object({
  config: z.object({ Volumes: z.record(z.string(), z.unknown()).nullish() }).nullish(),
})

/**
 * Who published the release has checked it with his own tool, which may be another one than ours.
 * @throws ManifestError `MANIFEST_INVALID` naming component and path of each volume without a mount, or an image
 * whose config cannot be read
 * @throws FileError `FILE_TOO_LARGE`
 */
export async function checkImageVolumes(release: VerifiedRelease): Promise<void> {
  const { manifest, platform, blobs } = release
  const name = `${manifest.id} ${manifest.version}`
  const volumes = new Map<string, readonly string[]>()
  for (const [key, { platforms }] of Object.entries(manifest.images)) {
    const image = platforms[platform]
    const path = image && blobs.get(image.config.blake3)?.path
    // An image that no component uses is not a part of the release.
    if (path !== undefined) volumes.set(key, await volumesOf(path, `the image ${key} of ${name}`))
  }
  const problems = volumeProblems(manifest, volumes).map(({ rule, path, message }) =>
    manifestProblemText(name, { rule, path: pathText(path), message, position: undefined }),
  )
  if (problems.length === 0) return
  throw new ManifestError('MANIFEST_INVALID', `${name} leaves image volumes without a mount`, {
    problems,
  })
}

async function volumesOf(path: string, what: string): Promise<readonly string[]> {
  const bytes = await readFileBounded(path, CONFIG_BYTES_MAX)
  if (bytes === undefined) {
    throw new ManifestError(
      'MANIFEST_MISMATCH',
      `the config of ${what} is gone from the disk: ${path}`,
    )
  }
  try {
    const { config } = configSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    return Object.keys(config?.Volumes ?? {})
  } catch (cause) {
    throw new ManifestError(
      'MANIFEST_INVALID',
      `the config of ${what} is not one: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}
