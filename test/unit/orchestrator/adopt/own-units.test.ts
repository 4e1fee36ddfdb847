import { expect } from 'chai'
import { readOwnUnits } from '../../../../orchestrator/adopt/own-units.ts'
import { renderApp } from '../../../../orchestrator/units/render.ts'
import { forRender, renderInput } from '../../../support/orchestrator/manifest.ts'

const TEXT = `
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
components:
  db: { image: a }
  web: { image: a }
`
const MANIFEST = forRender(TEXT)
const ENTRY = {
  ...{ publisher: 'core', channel: 'stable', seq: 4 },
  manifest: { blake3: 'blake3:abc' },
}
const { quadlet, target } = renderApp(renderInput(MANIFEST))
const DIGESTS = new Map([['1'.repeat(64), 'sha256:one']])

const read = (over: Partial<Parameters<typeof readOwnUnits>[0]> = {}) =>
  readOwnUnits({
    manifest: MANIFEST,
    entry: ENTRY,
    quadlet,
    target,
    manifestDigests: DIGESTS,
    areFilesThere: true,
    ...over,
  })

describe('readOwnUnits', () => {
  it('is the generation that the files are, byte for byte', () => {
    const found = read()
    expect(found).to.deep.include({ number: 7, seq: 4, manifest: 'blake3:abc' })
    expect(found?.quadlet).to.deep.equal([...quadlet])
    expect(found?.images[0]).to.deep.equal({
      ...{ component: 'db', name: 'localhost/archy/duo/db:g7', id: '1'.repeat(64) },
      manifestDigest: 'sha256:one',
    })
  })

  it('gives another version the number 0, so that what the catalog has may follow', () => {
    const found = read({ manifest: forRender(TEXT.replace('"1"', '"2"')) })
    expect([found?.seq, found?.spec.version, found?.permissions]).to.deep.equal([0, '1', undefined])
  })

  it('gives one that would not start again the number 0', () => {
    expect(read({ areFilesThere: false })?.seq).to.equal(0)
  })

  it('is nothing when a file is missing, of another app, or of another generation', () => {
    expect(read({ target: undefined })).to.equal(undefined)
    expect(read({ quadlet: quadlet.slice(0, -1) })).to.equal(undefined)
    const change = (from: string, to: string) =>
      read({
        quadlet: quadlet.map(({ name, text }) => ({
          name,
          text: name.includes('_web') ? text.replace(from, to) : text,
        })),
      })
    expect(change('app.id=duo', 'app.id=duet')).to.equal(undefined)
    expect(change('app.generation=7', 'app.generation=8')).to.equal(undefined)
    expect(change('app.generation=7', 'app.generation=new')).to.equal(undefined)
  })
})
