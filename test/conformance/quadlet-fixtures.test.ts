/**
 * Checks our prediction of Quadlet against Podman's own tests of it.
 * Goal: what `archy app render --argv` shows, and what checks units without a generator, is what Podman 5.4.2 makes.
 * Method: all fixtures of Podman's end-to-end tests in one folder, each judged by the assertions in its own comments.
 */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { predictServices } from '../../orchestrator/units/predict.ts'
import { failedAssertions } from '../support/quadlet/assertions.ts'
import { type Fixtures, readFixtures } from '../support/quadlet/fixtures.ts'

/** Podman's tests copy their fixtures to such a folder, and some assertions name it. */
const FOLDER = '/tmp/podman-e2e-1/subtest-1/quadlet'
const DEVICES = new Set(['/dev/fuse', '/dev/loop0', '/dev/null'])
const KINDS = ['container', 'network', 'volume', 'image', 'pod', 'build', 'kube']
const DOCUMENT = 'docs/quadlet-conformance.md'

/** Why a fixture is not judged; by kind of file, or by its name. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  build: 'apps come with their images; nothing is built on a node',
  kube: 'a component is a container with a unit of its own',
  'shortname.container': 'only a warning about short image names; we write image IDs',
}

const kindOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
const reasonOf = (name: string): string | undefined => LEFT_OUT[name] ?? LEFT_OUT[kindOf(name)]

function judge({ files }: Fixtures): readonly { name: string; failed: readonly string[] }[] {
  const host = { folder: FOLDER, hasDevice: (path: string) => DEVICES.has(path) }
  const { services, problems } = predictServices(files, host)
  return files
    .filter(({ name, assertions }) => reasonOf(name) === undefined && assertions.length > 0)
    .map(({ name, assertions }) => {
      const service = services.find(each => each.source === name)
      const problem = problems.find(each => each.file === name)?.text
      return { name, failed: failedAssertions(assertions, { service, problem }) }
    })
}

/** One row for each kind: how many there are, hold, have nothing to say, and are left out. */
function table(fixtures: Fixtures): readonly string[] {
  const judged = judge(fixtures)
  return KINDS.map(kind => {
    const ofKind = fixtures.files.filter(({ name }) => kindOf(name) === kind)
    const held = judged.filter(({ name, failed }) => kindOf(name) === kind && failed.length === 0)
    const out = ofKind.filter(({ name }) => reasonOf(name) !== undefined)
    const silent = ofKind.filter(
      ({ name, assertions }) => reasonOf(name) === undefined && assertions.length === 0,
    )
    return `| .${kind} | ${ofKind.length} | ${held.length} | ${silent.length} | ${out.length} |`
  })
}

const fixtures = readFixtures()

if (fixtures !== undefined) {
  describe('the prediction of Quadlet', () => {
    for (const { name, failed } of judge(fixtures)) {
      it(`meets what Podman asserts of ${name}`, () => {
        expect(failed).to.deep.equal([])
      })
    }

    it('would not meet them if they said anything else', () => {
      const host = { folder: FOLDER, hasDevice: () => true }
      const { services } = predictServices(fixtures.files, host)
      const met = fixtures.files.flatMap(({ name, assertions }) => {
        const service = services.find(({ source }) => source === name)
        if (service === undefined) return []
        const changed = assertions
          .filter(each => !each.isInverted && !/empty|not-contains/.test(each.name))
          .map(each => ({ ...each, args: each.args.with(-1, `${each.args.at(-1)}, changed`) }))
        return changed.filter(
          each => failedAssertions([each], { service, problem: undefined }).length === 0,
        )
      })
      expect(met).to.deep.equal([])
    })

    it('is judged by as many fixtures as the documentation says', async () => {
      const document = (await readFile(DOCUMENT, 'utf8')).replaceAll(/ +\|/g, ' |')
      for (const row of table(fixtures)) expect(document).to.include(row)
      for (const reason of Object.values(LEFT_OUT)) expect(document).to.include(reason)
      expect(document).to.include(`${fixtures.others.length} more files`)
    })
  })
}
