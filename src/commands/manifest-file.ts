/** Reads the manifest that a command is given: a file, or the folder of an app. */
import { join } from 'node:path'
import {
  type AppManifest,
  parseAuthorManifest,
  parsePublishedManifest,
} from '../../catalog/index.ts'
import { NodeError } from '../core/errors.ts'
import { isFolder, readFileBounded } from '../core/files.ts'

export class ManifestFileError extends NodeError<'MANIFEST_FILE_MISSING'> {}

/** What an app folder calls its manifest. */
const FILE_NAME = 'archy.yaml'
/** Beyond the limits of both forms, which the parsers know. */
const FILE_BYTES_MAX = 2 ** 21

/**
 * An author's manifest (YAML) has no images yet; a `.json` file is a published one.
 * @throws ManifestFileError `MANIFEST_FILE_MISSING`, ManifestError `MANIFEST_INVALID`, FileError `FILE_TOO_LARGE`
 */
export async function readManifestFile(path: string): Promise<AppManifest> {
  const file = (await isFolder(path)) ? join(path, FILE_NAME) : path
  const bytes = await readFileBounded(file, FILE_BYTES_MAX)
  if (bytes === undefined) {
    throw new ManifestFileError('MANIFEST_FILE_MISSING', `there is no file ${file}`)
  }
  if (file.endsWith('.json')) return parsePublishedManifest(bytes, file)
  return { ...parseAuthorManifest(Buffer.from(bytes).toString('utf8'), file), images: {} }
}
