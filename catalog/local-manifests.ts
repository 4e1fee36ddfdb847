/** Manifests that the owner keeps in a folder of this machine: the fallback for apps that the catalog does not have. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef } from '../src/core/blob.ts'
import { canonicalJson } from '../src/core/canonical-json.ts'
import { digestOf, parseSha256 } from '../src/core/digest.ts'
import { messageOf, NodeError } from '../src/core/errors.ts'
import { readFileBounded } from '../src/core/files.ts'
import { formatProblem } from '../src/core/schema.ts'
import { parseYaml } from '../src/core/yaml.ts'
import type { CatalogEntry } from './entry.ts'
import { ManifestError } from './errors.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX, parsePublishedManifest } from './manifest/parse.ts'
import { type AppManifest, MANIFEST_MEDIA_TYPE } from './manifest/schema.ts'
import { LOCAL } from './resolution.ts'

/** `<id>.json`, `<id>.yaml` or `<id>.yml`, in published form: images by BLAKE3 address. */
const FILE_NAME = /^([a-z][a-z0-9-]*)\.(?:json|ya?ml)$/
/** More apps than one machine runs. */
const FILE_COUNT_MAX = 256
/** A status is read by a person. */
const PROBLEM_COUNT_MAX = 20

export interface LocalManifest {
  readonly entry: CatalogEntry
  /** The canonical form: the blob that `entry` names. */
  readonly bytes: Uint8Array
}

export interface LocalManifests {
  /** By app id. */
  readonly manifests: ReadonlyMap<string, LocalManifest>
  /** One line for each file that cannot be used, which takes away nothing but that app. */
  readonly problems: readonly string[]
}

export const noLocalManifests: LocalManifests = { manifests: new Map(), problems: [] }

/** Never throws for what is in the folder. */
export async function readLocalManifests(folder: string): Promise<LocalManifests> {
  const manifests = new Map<string, LocalManifest>()
  const problems: string[] = []
  for (const name of await namesIn(folder, problems)) {
    try {
      const read = await readOne(folder, name)
      const { app } = read.entry
      if (manifests.has(app)) problems.push(`${name}: another file has the app ${app} already`)
      else manifests.set(app, read)
    } catch (error) {
      problems.push(...linesOf(name, error))
    }
  }
  const shown = problems.slice(0, PROBLEM_COUNT_MAX).map(line => `local manifest ${line}`)
  return { manifests, problems: shown }
}

async function namesIn(folder: string, problems: string[]): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter(name => FILE_NAME.test(name)).sort()
    if (names.length > FILE_COUNT_MAX) {
      problems.push(`folder ${folder}: only the first ${FILE_COUNT_MAX} files are read`)
    }
    return names.slice(0, FILE_COUNT_MAX)
  } catch (error) {
    problems.push(`folder ${folder} cannot be read: ${messageOf(error)}`)
    return []
  }
}

async function readOne(folder: string, name: string): Promise<LocalManifest> {
  const file = await readFileBounded(join(folder, name), PUBLISHED_MANIFEST_BYTES_MAX)
  const document = parseYaml(Buffer.from(file ?? []).toString('utf8'))
  if (document.errors.length > 0) {
    const problems = document.errors.map(error => formatProblem(name, { path: '', ...error }))
    throw new ManifestError('MANIFEST_INVALID', `${name} is not YAML or JSON`, { problems })
  }
  const bytes = canonicalJson(document.value)
  const manifest = parsePublishedManifest(bytes, name)
  if (manifest.id !== FILE_NAME.exec(name)?.[1]) {
    const message = `${name}: holds the app ${manifest.id}; name the file ${manifest.id}.yaml`
    throw new ManifestError('MANIFEST_INVALID', message)
  }
  return { entry: entryOf(manifest, bytes), bytes }
}

/** Number 0: every release of the catalog is newer. */
function entryOf(manifest: AppManifest, bytes: Uint8Array): CatalogEntry {
  const { id: app, version } = manifest
  const ref: BlobRef = {
    blake3: digestOf(bytes),
    sha256: parseSha256(`sha256:${createHash('sha256').update(bytes).digest('hex')}`),
    size: bytes.length,
    mediaType: MANIFEST_MEDIA_TYPE,
  }
  const images = Object.values(manifest.images).flatMap(image => Object.values(image.platforms))
  const blobs = images.flatMap(image => [image.manifest, image.config, ...image.layers])
  const sizes = new Map(blobs.map(blob => [blob.blake3, blob.size]))
  const totalSize = [...sizes.values()].reduce((sum, size) => sum + size, bytes.length)
  return { publisher: LOCAL, app, channel: LOCAL, seq: 0, version, manifest: ref, totalSize }
}

function linesOf(name: string, error: unknown): readonly string[] {
  if (error instanceof NodeError && error.problems.length > 0) return error.problems
  const message = messageOf(error)
  return [message.startsWith(name) ? message : `${name}: ${message}`]
}
