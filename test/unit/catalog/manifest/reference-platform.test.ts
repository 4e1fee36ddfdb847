/**
 * Translates manifests of the reference platform, written after what is known of its apps.
 * Goal: what comes out is a right manifest, and every key of the source is told of.
 * Method: `archy.yaml` and `report.txt` in each folder are what must come out; `UPDATE_FIXTURES=1` writes them anew.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  containerOwner,
  durationText,
  labelOf,
  portIn,
  sizeText,
} from '../../../../catalog/manifest/reference/values.ts'
import { translateManifests } from '../../../../catalog/manifest/reference-platform.ts'
import { convertManifests } from '../../../../catalog/publish/convert.ts'
import { reportText } from '../../../../src/commands/app-convert.ts'
import { parseYaml } from '../../../../src/core/yaml.ts'

const FOLDER = 'fixtures/manifests/reference'
const isUpdate = process.env.UPDATE_FIXTURES === '1'

const APPS = await readdir(FOLDER)
const filesOf = async (app: string) =>
  (await readdir(join(FOLDER, app)))
    .filter(name => name.endsWith('.yml'))
    .sort()
    .map(name => join(FOLDER, app, name))

describe('translateManifests', () => {
  it('is shown apps of every shape that is known', () => {
    expect(APPS).to.include.members([
      'bitcoin-knots',
      'immich',
      'indeedhub',
      'meshtastic',
      'netbird',
      'vaultwarden',
    ])
  })

  for (const app of APPS) {
    it(`makes a right manifest of ${app}, and says what became of every key`, async () => {
      const conversion = await convertManifests(await filesOf(app))
      expect(conversion.problems).to.deep.equal([])
      const made = { 'archy.yaml': conversion.manifest, 'report.txt': reportText(conversion) }
      for (const [name, text] of Object.entries(made)) {
        const path = join(FOLDER, app, name)
        if (isUpdate) await writeFile(path, text)
        expect(await readFile(path, 'utf8'), path).to.equal(text)
      }
    })

    it(`forgets no key of ${app}`, async () => {
      const documents = await Promise.all(
        (await filesOf(app)).map(async file => parseYaml(await readFile(file, 'utf8')).value),
      )
      const { report } = translateManifests(documents) ?? expect.fail('not translated')
      const told = new Set(
        Object.values(report)
          .flat()
          .map(({ from }) => from.split(': ').at(-1)),
      )
      const sections = ['container', 'resources', 'security', 'hooks']
      const keys = documents.flatMap(document =>
        Object.entries((document as { app: object }).app).flatMap(([key, value]) =>
          sections.includes(key) ? Object.keys(value).map(inner => `${key}.${inner}`) : key,
        ),
      )
      expect(keys.filter(key => !told.has(key))).to.deep.equal([])
    })
  }

  it('translates nothing that has no app with an id', () => {
    for (const value of [
      undefined,
      [],
      {},
      { app: [] },
      { app: { name: 'x' } },
      { services: {} },
    ]) {
      expect(translateManifests([value])).to.equal(undefined)
    }
    expect(translateManifests([])).to.equal(undefined)
  })

  it('keeps an interpolated secret a secret', () => {
    const app = {
      id: 'shop',
      container: { secret_env: [{ key: 'PASS', secret_file: 'db' }] },
      environment: ['URL=x://u:${PASS}@db', 'TEXT=${', 'SAME=${URL}', 'LOOP=${LOOP}'],
    }
    const { manifest } = translateManifests([{ app }]) ?? expect.fail('not translated')
    expect(manifest.components.main?.env).to.include({
      URL: 'x://u:${secrets.db}@db',
      TEXT: '$${',
      SAME: 'x://u:$${PASS}@db',
    })
  })
})

describe('values of the reference platform', () => {
  it('are ids of the machine: 100000 + N - 1 is N in the container', () => {
    expect(containerOwner('100998:100998')).to.deep.equal({ uid: 999, gid: 999 })
    expect(containerOwner('100000')).to.deep.equal({ uid: 1, gid: 1 })
    expect(containerOwner('165534:165534')).to.deep.equal({ uid: 65_535, gid: 65_535 })
    expect(containerOwner('1000:1000')).to.deep.equal({ uid: 0, gid: 0 })
    expect(containerOwner('165535:0')).to.equal(undefined)
    expect(containerOwner('root')).to.equal(undefined)
  })

  it('are sizes and times in several spellings', () => {
    expect(['512Mi', '2Gi', '1g', '512m', '2048', 256, '1GB'].map(sizeText)).to.deep.equal([
      ...['512MiB', '2GiB', '1GiB', '512MiB', '2048MiB', '256MiB', '1GiB'],
    ])
    expect(['0.5Gi', 'much', undefined].map(sizeText)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ])
    expect([30, '30s', '5m', '1m30s', '2h', '500ms', '1h1s'].map(durationText)).to.deep.equal([
      ...['30s', '30s', '5m', '90s', '2h', '500ms', '3601s'],
    ])
    expect(['', 'soon', undefined].map(durationText)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('are names and ports', () => {
    expect(['immich_postgres', 'My App!', '9lives', '___'].map(labelOf)).to.deep.equal([
      ...['immich-postgres', 'my-app', 'lives', 'main'],
    ])
    expect(['http://localhost:8080/x', '127.0.0.1:7777', 80, 'none'].map(portIn)).to.deep.equal([
      ...[8080, 7777, 80, undefined],
    ])
  })
})
