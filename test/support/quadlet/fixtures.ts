/** Podman's own tests of its generator: unit files that say in comments what must become of them. Read where they lie. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { QuadletInput } from '../../../orchestrator/units/predict.ts'
import { type Assertion, parseAssertions } from './assertions.ts'

/** Files of containers/podman at v5.4.2, `test/e2e/quadlet` (Apache-2.0). */
const FOLDER = new URL(
  '../../../../shared/cases/quadlet-native/podman-e2e-v5.4.2/',
  import.meta.url,
)

export interface Fixture extends QuadletInput {
  readonly assertions: readonly Assertion[]
}

export interface Fixtures {
  readonly folder: string
  readonly files: readonly Fixture[]
  /** Drop-ins and files in folders of their own. */
  readonly others: readonly string[]
}

/** `undefined` after printing one line when this machine does not have them. */
export function readFixtures(): Fixtures | undefined {
  if (!existsSync(FOLDER)) {
    console.log('left out: ../shared/cases/quadlet-native/podman-e2e-v5.4.2 is missing')
    return undefined
  }
  const folder = fileURLToPath(FOLDER)
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => `${entry.parentPath}/${entry.name}`.slice(folder.length).replace(/^\//, ''))
    .sort()
  const text = (path: string): string => readFileSync(`${folder}/${path}`, 'utf8')
  const files = paths
    .filter(path => !path.includes('/'))
    .map(name => ({
      name,
      text: text(name),
      dropIns: dropInFolders(name).flatMap(prefix =>
        paths.filter(path => path.startsWith(prefix)).map(text),
      ),
      assertions: parseAssertions(text(name)),
    }))
  return { folder, files, others: paths.filter(path => path.includes('/')) }
}

/** Its own, and for an instance of a template those of the template first. */
function dropInFolders(name: string): readonly string[] {
  const template = name.replace(/@.+\.container$/, '@.container')
  return [...new Set([`${template}.d/`, `${name}.d/`])]
}
