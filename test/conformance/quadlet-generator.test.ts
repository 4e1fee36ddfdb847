/**
 * Checks our prediction of Quadlet against the generator itself.
 * Goal: every unit that Podman's tests use, and every unit that we render, becomes exactly the predicted service.
 * Method: the files of one kind at a time go through both. Options of Podman are compared as sets: the generator's own order
 * differs from run to run.
 */
import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { UnitSection } from '../../orchestrator/units/file.ts'
import { predictServices, type QuadletInput } from '../../orchestrator/units/predict.ts'
import { readQuadlet } from '../../orchestrator/units/quadlet/reader.ts'
import { splitArguments } from '../../orchestrator/units/quadlet/words.ts'
import { escapeRows } from '../support/quadlet/escape-rows.ts'
import { readFixtures } from '../support/quadlet/fixtures.ts'
import { findGenerator, type RealGenerator } from '../support/quadlet/generator.ts'

const generator = findGenerator()
const fixtures = readFixtures()

/** Everything but what Quadlet keeps of the file, with the words of commands sorted. */
function comparable(sections: readonly UnitSection[]): Record<string, readonly string[]> {
  const own = sections.filter(({ name }) => !name.startsWith('X-'))
  return Object.fromEntries(
    own.map(({ name, lines }) => [
      name,
      lines.map(([key, value]) => {
        const words = key.startsWith('Exec') ? splitArguments(value)?.toSorted() : [value]
        return `${key}=${words?.join('\n')}`
      }),
    ]),
  )
}

async function compare(real: RealGenerator, files: readonly QuadletInput[]): Promise<number> {
  const { services, problems } = predictServices(files, real)
  const made = await real.run(files)
  for (const { name, sections } of services) {
    const text = made.services.get(name)
    expect(text, `${name} is made`).to.be.a('string')
    expect(comparable(sections), name).to.deep.equal(comparable(readQuadlet(text ?? '')))
  }
  expect(services.map(({ name }) => name)).to.have.members([...made.services.keys()])
  const complaints = made.problems.filter(line => line.startsWith('converting '))
  expect(problems.map(({ file, text }) => `converting "${file}": ${text}`)).to.have.members(
    complaints,
  )
  return services.length
}

if (generator !== undefined) {
  describe(`the generator of Podman ${generator.version}`, function () {
    // Each run has namespaces of its own; beside other tests that takes its time.
    this.timeout(30_000)

    for (const app of ['hello-web', 'notes', 'odd']) {
      it(`makes of ${app} what we predict`, async () => {
        const folder = join('fixtures/quadlet', app)
        const names = (await readdir(folder)).filter(name => /\.(container|network)$/.test(name))
        const files = names.map(async name => ({
          name,
          text: await readFile(join(folder, name), 'utf8'),
        }))
        expect(await compare(generator, await Promise.all(files))).to.equal(names.length)
      })
    }

    it('carries random values to the container as they are', async () => {
      const seed = randomInt(2 ** 31)
      const rows = await escapeRows(generator, { values: 400, commands: 60, seed })
      const failed = rows.filter(({ ok }) => !ok)
      expect(failed, `npm run prove:escape -- --seed=${seed}`).to.deep.equal([])
    })

    if (fixtures !== undefined) {
      it('makes of the fixtures of Podman what we predict', async () => {
        // Files of other kinds would have services of the same names; these two take names of others on purpose.
        const files = fixtures.files.filter(
          ({ name }) =>
            /\.(container|network|volume|image|pod)$/.test(name) &&
            !/^(service-name\.|build\.|.*build)/.test(name) &&
            !/^(shortname)\./.test(name),
        )
        expect(await compare(generator, files)).to.be.above(140)
      })
    }
  })
}
