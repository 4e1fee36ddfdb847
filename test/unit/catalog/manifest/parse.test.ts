import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { ManifestError } from '../../../../catalog/errors.ts'
import {
  AUTHOR_MANIFEST_BYTES_MAX,
  PUBLISHED_MANIFEST_BYTES_MAX,
  parseAuthorManifest,
  parsePublishedManifest,
} from '../../../../catalog/manifest/parse.ts'
import { canonicalJson } from '../../../../src/core/canonical-json.ts'

const notes = await readFile('fixtures/manifests/notes.yaml', 'utf8')

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse()
  } catch (error) {
    expect(error).to.be.instanceOf(ManifestError).and.have.property('code', 'MANIFEST_INVALID')
    return (error as ManifestError).problems
  }
  return []
}

/** The problems of the fixture after one text in it was replaced. */
function problemsWith(old: string, replacement: string): readonly string[] {
  expect(notes).to.contain(old)
  const text = notes.replace(old, replacement)
  return problemsOf(() => parseAuthorManifest(text, 'archy.yaml'))
}

describe('parseAuthorManifest', () => {
  it('reads a full manifest, fills defaults in, and leaves x- keys out', () => {
    const manifest = parseAuthorManifest(notes, 'archy.yaml')
    expect(manifest.components.db?.stop).to.deep.equal({ signal: 'SIGINT', grace: '60s' })
    expect(manifest.components.web?.stop).to.deep.equal({ signal: 'SIGTERM', grace: '30s' })
    expect(manifest).to.not.have.property('x-editor')
  })

  it('names line, column and the nearest key for an unknown one', () => {
    expect(problemsWith('    aliases: [', '    alaises: [')).to.deep.equal([
      'archy.yaml:38:5: components.web.alaises: unknown key "alaises"; did you mean "aliases"? [form.key]',
    ])
  })

  it('asks for quotes where YAML made a number of a version', () => {
    expect(problemsWith('version: "1.0.0"', 'version: 1.10')).to.deep.equal([
      'archy.yaml:4:10: version: must be text, not the number 1.1; write it in quotes [form.value]',
    ])
  })

  it('refuses a version without a digit', () => {
    expect(problemsWith('version: "1.0.0"', 'version: release')).to.deep.equal([
      'archy.yaml:4:10: version: must contain a digit [form.value]',
    ])
  })

  it('says what is missing', () => {
    expect(problemsWith('version: "1.0.0"\n', '')).to.deep.equal([
      'archy.yaml:2:1: version: is missing (expected text) [form.value]',
    ])
  })

  it('reports broken references with their position', () => {
    expect(problemsWith('image: web', 'image: wbe')).to.deep.equal([
      'archy.yaml:37:12: components.web.image: there is no image "wbe"; did you mean "web"? [component.image]',
    ])
  })

  it('reports all problems at once', () => {
    const text = notes.replace('grace: 60s', 'grace: soon').replace('\nid: notes', '\nid: Notes')
    expect(problemsOf(() => parseAuthorManifest(text, 'archy.yaml'))).to.have.length(2)
  })

  it('reports a duplicate key where it stands', () => {
    expect(problemsOf(() => parseAuthorManifest(`${notes}id: twice\n`, 'a.yaml'))[0]).to.match(
      /^a\.yaml:52:1: Map keys must be unique/,
    )
  })

  for (const [what, old, replacement, message] of [
    ['a duration without a unit', 'grace: 60s', 'grace: "60"', /must be a duration such as/],
    ['a duration that no start may take', 'interval: 10s', 'interval: 2h', /between 1s and 1h/],
    ['a memory limit of nothing', 'memory: 512MiB', 'memory: 0MiB', /must be at least 1B/],
    ['a size beyond all numbers', 'memory: 512MiB', 'memory: 9999TiB', /must be at least 1B/],
    ['a path with ..', 'path: /run/postgresql', 'path: /run/../etc', /must not contain ".."/],
    ['an image outside of the folder', 'oci: images/db', 'oci: ../db', /inside the app folder/],
    ['an id that systemd would misread', 'id: notes', 'id: notes-network', /must not end in/],
    [
      'a file mode that YAML made a number',
      'mode: "0700"',
      'mode: 0700',
      /text, not the number 700; write it in quotes/,
    ],
    ['a name that JavaScript objects inherit', 'image: web', 'image: constructor', /no image/],
    ['a key that the schema library drops', 'GREETING:', '__proto__:', /name is not possible/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const problems = problemsWith(old, replacement)
      expect(problems).to.have.length(1)
      expect(problems[0])
        .to.match(/^archy\.yaml:\d+:\d+: /)
        .and.match(message)
    })
  }

  it('refuses a file that is too large, broken, or no mapping', () => {
    const texts = [`#${'x'.repeat(AUTHOR_MANIFEST_BYTES_MAX)}`, '['.repeat(100), '- 1', '']
    for (const text of texts) {
      expect(problemsOf(() => parseAuthorManifest(text, 'a.yaml'))).to.not.equal([])
    }
  })

  it('refuses aliases that multiply', () => {
    const level = (n: number) =>
      `l${n}: &l${n} [${Array(9)
        .fill(`*l${n - 1}`)
        .join(', ')}]`
    const bomb = ['l0: &l0 [x]', ...[1, 2, 3, 4, 5, 6, 7, 8].map(level)].join('\n')
    expect(problemsOf(() => parseAuthorManifest(bomb, 'a.yaml'))).to.have.length(1)
  })
})

describe('parsePublishedManifest', () => {
  const author = parseAuthorManifest(notes, 'archy.yaml')
  const blob = {
    blake3: `blake3:${'0'.repeat(64)}`,
    sha256: `sha256:${'0'.repeat(64)}`,
    size: 1,
    mediaType: 'application/octet-stream',
  }
  const image = { platforms: { amd64: { manifest: blob, config: blob, layers: [blob] } } }
  const published = { ...author, images: { db: image, web: image } }

  it('reads back what canonicalJson wrote', () => {
    expect(parsePublishedManifest(canonicalJson(published))).to.deep.equal(published)
  })

  it('refuses other bytes for the same value', () => {
    const bytes = Buffer.from(JSON.stringify(published))
    expect(problemsOf(() => parsePublishedManifest(bytes))[0]).to.match(/not canonical JSON/)
  })

  it('refuses text that is no JSON, no UTF-8 or too long', () => {
    const bad = [
      Buffer.from('{'),
      Buffer.from([0xff]),
      Buffer.alloc(PUBLISHED_MANIFEST_BYTES_MAX + 1),
    ]
    for (const bytes of bad) {
      expect(problemsOf(() => parsePublishedManifest(bytes))).to.have.length(1)
    }
  })

  it('checks the rules again, and unknown keys', () => {
    const wrong = [
      { ...published, images: { db: image } },
      { ...published, 'x-own': 1 },
      { ...published, images: { db: image, web: { platforms: { amd64: { ...blob } } } } },
    ]
    for (const value of wrong) {
      expect(problemsOf(() => parsePublishedManifest(canonicalJson(value)))).to.not.deep.equal([])
    }
  })
})
