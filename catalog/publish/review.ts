/** Looks at an app folder, or at a manifest alone, as `origin add` will, without an origin and without changing anything. */

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf, NodeError } from '../../src/core/errors.ts'
import { pathExists, readFileBounded } from '../../src/core/files.ts'
import { pathText } from '../../src/core/schema.ts'
import { adviceFor } from '../manifest/advice.ts'
import { AUTHOR_MANIFEST_BYTES_MAX, readAuthorManifest } from '../manifest/parse.ts'
import type { ManifestProblem } from '../manifest/read.ts'
import type { AuthorManifest } from '../manifest/schema.ts'
import { volumeProblems } from '../manifest/volume-rules.ts'
import { MANIFEST_FILE } from './add.ts'
import { readImages } from './oci/image.ts'
import { openLayout } from './oci/layout.ts'

export interface Review {
  /** The file that was read. */
  readonly file: string
  /** Each keeps the app from being published. */
  readonly problems: readonly ManifestProblem[]
  /** What could be better, without a rule. */
  readonly advice: readonly Omit<ManifestProblem, 'rule'>[]
}

/** What is wrong, by the path of its value; the position is found later. */
type Found = Pick<ManifestProblem, 'rule' | 'message'> & { readonly at: readonly PropertyKey[] }

/** Reviews the manifest at `path`, or in the app folder `path`; then its images too, where they are there already. */
export async function reviewApp(path: string): Promise<Review> {
  const { file, text, error } = await readText(path)
  if (error !== undefined) return { file, problems: [error], advice: [] }
  const reading = readAuthorManifest(text)
  const { manifest, document } = reading
  if (manifest === undefined || document === undefined) {
    return { file, problems: reading.problems, advice: [] }
  }
  const images = await reviewImages(dirname(file), manifest)
  const place = (at: readonly PropertyKey[]) => ({
    path: pathText(at),
    position: document.positionOf(at),
  })
  return {
    file,
    problems: images.found.map(({ rule, message, at }) => ({ rule, message, ...place(at) })),
    advice: [
      ...adviceFor(manifest).map(({ path: at, message }) => ({ message, ...place(at) })),
      ...images.absent.map(key => {
        const message = 'is not there yet; "archy origin add" needs it'
        return { message, ...place(['images', key, 'oci']) }
      }),
    ],
  }
}

async function readText(
  path: string,
): Promise<{ file: string; text: string; error?: ManifestProblem }> {
  let file = path
  try {
    if ((await stat(path)).isDirectory()) file = join(path, MANIFEST_FILE)
    const bytes = await readFileBounded(file, AUTHOR_MANIFEST_BYTES_MAX)
    if (bytes !== undefined) return { file, text: Buffer.from(bytes).toString('utf8') }
    return { file, text: '', error: unreadable(`is not there, so that ${path} is no app folder`) }
  } catch (error) {
    return { file, text: '', error: unreadable(`cannot be read: ${messageOf(error)}`) }
  }
}

function unreadable(message: string): ManifestProblem {
  return { rule: 'form.yaml', path: '', message, position: undefined }
}

async function reviewImages(
  appFolder: string,
  manifest: AuthorManifest,
): Promise<{ found: readonly Found[]; absent: readonly string[] }> {
  const found: Found[] = []
  const absent: string[] = []
  const volumes = new Map<string, readonly string[]>()
  const work = await mkdtemp(join(tmpdir(), 'archy-review-'))
  try {
    for (const [key, { oci, platforms }] of Object.entries(manifest.images)) {
      const at = ['images', key, 'oci']
      if (!(await pathExists(join(appFolder, oci)))) {
        absent.push(key)
        continue
      }
      try {
        const layout = await openLayout(appFolder, key, oci, join(work, key))
        const images = await readImages(layout, platforms)
        volumes.set(
          key,
          images.flatMap(({ config }) => Object.keys(config.config?.Volumes ?? {})),
        )
      } catch (error) {
        found.push(
          ...layoutProblems(error).map(message => ({ rule: 'image.layout' as const, message, at })),
        )
      }
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const uncovered = volumeProblems(manifest, volumes).map(({ rule, message, path }) => ({
    ...{ rule, message },
    at: path,
  }))
  return { found: [...found, ...uncovered], absent }
}

/** What the reader of images says; anything else is not about the image. */
function layoutProblems(error: unknown): readonly string[] {
  if (!(error instanceof NodeError)) throw error
  return error.problems.length > 0 ? error.problems : [messageOf(error)]
}
