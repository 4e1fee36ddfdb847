/**
 * Holds docs/manifest.md to the program: every key with its default, every rule, every reference, every example.
 * Goal: whoever packages an app with this page alone meets nothing that it does not say.
 */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { GRANTS } from '../../catalog/manifest/component-schema.ts'
import { completeDocument } from '../../catalog/manifest/document.ts'
import { keyForms, manifestJsonSchema } from '../../catalog/manifest/json-schema.ts'
import { manifestProblemText, readAuthorManifest } from '../../catalog/manifest/parse.ts'
import { documentedKeys } from '../../catalog/manifest/reference-table.ts'
import { REFERENCE_FORMS } from '../../catalog/manifest/template.ts'

const DOCUMENT = await readFile('docs/manifest.md', 'utf8')
const EXAMPLES = [...DOCUMENT.matchAll(/```yaml\n(.*?)```/gs)].map(match => match[1] ?? '')

type Mapping = { [key: string]: unknown }

/** What the examples that are only a part of a manifest are put into. */
const AROUND: Mapping = parse(`
apiVersion: archy.app/v1
id: my-app
version: "1.0"
title: My app
images: { web: { oci: images/web }, db: { oci: images/db } }
data: { files: {} }
secrets: { db-password: { generate: { kind: hex } } }
components:
  db: { image: db, health: { exec: [pg_isready] } }
  cache: { image: db }
  web: { image: web }
`)

function merge(into: Mapping, from: Mapping): Mapping {
  const merged = { ...into }
  for (const [key, value] of Object.entries(from)) {
    const before = merged[key]
    merged[key] = isMapping(before) && isMapping(value) ? merge(before, value) : value
  }
  return merged
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function problemsOf(text: string): readonly string[] {
  return readAuthorManifest(text).problems.map(problem => manifestProblemText('example', problem))
}

describe('docs/manifest.md', () => {
  it('tells of every key, once, and of no other', () => {
    const told = documentedKeys(DOCUMENT).map(({ path }) => path)
    expect(told).to.have.members(keyForms().map(({ path }) => path))
  })

  it('tells the default of every key', () => {
    const forms = new Map(keyForms().map(form => [form.path, form]))
    const wrong = documentedKeys(DOCUMENT).flatMap(({ path, fallback }) => {
      const form = forms.get(path)
      const value =
        form?.defaultValue === undefined ? '–' : `\`${JSON.stringify(form.defaultValue)}\``
      const must = form?.isRequired === true ? 'required' : value
      return fallback === must ? [] : [`${path}: ${fallback} must be ${must}`]
    })
    expect(wrong).to.deep.equal([])
  })

  it('has the tables of rules and words that the program has: npm run build:schema', () => {
    expect(completeDocument(DOCUMENT)).to.equal(DOCUMENT)
  })

  it('is what the descriptions in manifest.schema.json are made of: npm run build:schema', async () => {
    const meanings = documentedKeys(DOCUMENT).map(({ path, meaning }) => [path, meaning] as const)
    const schema: unknown = JSON.parse(await readFile('docs/manifest.schema.json', 'utf8'))
    const made: unknown = JSON.parse(JSON.stringify(manifestJsonSchema(new Map(meanings))))
    expect(schema).to.deep.equal(made)
  })

  it('names every reference and every grant', () => {
    for (const form of REFERENCE_FORMS) expect(DOCUMENT).to.contain(`| \`\${${form}}\``)
    for (const grant of Object.keys(GRANTS))
      expect(DOCUMENT).to.match(new RegExp(`^\\| \`${grant}\` +\\|`, 'm'))
  })

  it('has examples', () => expect(EXAMPLES).to.have.length.above(11))

  EXAMPLES.forEach((example, index) => {
    const isWhole = example.startsWith('apiVersion:')
    it(`has a right example ${index + 1}${isWhole ? ', whole' : ''}`, () => {
      const text = isWhole ? example : stringify(merge(AROUND, parse(example) as Mapping))
      expect(problemsOf(text)).to.deep.equal([])
    })
  })

  it('would notice an example that is wrong', () => {
    const wrong = stringify(merge(AROUND, { components: { web: { privileged: true } } }))
    expect(problemsOf(wrong)).to.have.length(1)
  })
})
