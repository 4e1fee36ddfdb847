/** Reads manifests of the reference platform and gives one of ours as text, with what the translation did and what is still wrong. */
import { readFileBounded } from '../../src/core/files.ts'
import { formatYaml, parseYaml } from '../../src/core/yaml.ts'
import { ManifestError } from '../errors.ts'
import {
  AUTHOR_MANIFEST_BYTES_MAX,
  manifestProblemText,
  readAuthorManifest,
} from '../manifest/parse.ts'
import { type TranslationReport, translateManifests } from '../manifest/reference-platform.ts'
import { MANIFEST_FILE } from './add.ts'

export interface Conversion {
  /** YAML of an author's manifest. */
  readonly manifest: string
  readonly report: TranslationReport
  /** What the rules say of it, as if it stood in `archy.yaml`. */
  readonly problems: readonly string[]
}

/**
 * @param files manifests of one app; the first one names it
 * @throws ManifestError `MANIFEST_UNKNOWN_FORM`; FileError `FILE_TOO_LARGE`
 */
export async function convertManifests(files: readonly string[]): Promise<Conversion> {
  const documents: unknown[] = []
  for (const file of files) documents.push(await readDocument(file))
  const translation = translateManifests(documents)
  if (translation === undefined) {
    throw unknownForm(`${files.join(', ')}: everything must be below "app", with an id`)
  }
  const manifest = formatYaml(translation.manifest)
  const problems = readAuthorManifest(manifest).problems.map(problem =>
    manifestProblemText(MANIFEST_FILE, problem),
  )
  return { manifest, report: translation.report, problems }
}

async function readDocument(file: string): Promise<unknown> {
  const bytes = await readFileBounded(file, AUTHOR_MANIFEST_BYTES_MAX)
  if (bytes === undefined) throw unknownForm(`there is no ${file}`)
  const { value, errors } = parseYaml(Buffer.from(bytes).toString('utf8'))
  const [error] = errors
  if (error === undefined) return value
  throw unknownForm(`${file}:${error.position.line}:${error.position.column}: ${error.message}`)
}

function unknownForm(message: string): ManifestError {
  return new ManifestError('MANIFEST_UNKNOWN_FORM', message)
}
