/** The manifests in fixtures/apps and the recipes of their images say the same. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseAuthorManifest } from '../../../../catalog/manifest/parse.ts'
import {
  APP_USER_ID,
  APPS,
  type AppName,
  type ImageRecipe,
} from '../../../support/images/recipes.ts'

const FIXTURES = join(import.meta.dirname, '../../../../fixtures/apps')

async function manifestOf(app: string) {
  const path = join(FIXTURES, app, 'archy.yaml')
  return parseAuthorManifest(await readFile(path, 'utf8'), path)
}

describe('fixtures/apps', () => {
  for (const app of Object.keys(APPS) as AppName[]) {
    describe(app, () => {
      const recipes: Readonly<Record<string, ImageRecipe>> = APPS[app]

      it('has an image for every image that its manifest names, where the manifest says', async () => {
        const { images } = await manifestOf(app)
        const named = Object.entries(images).map(([key, { oci, platforms }]) => ({
          key,
          oci,
          platforms,
        }))
        expect(named).to.have.deep.members(
          Object.keys(recipes).map(key => ({ key, oci: `images/${key}`, platforms: ['amd64'] })),
        )
      })

      it('runs as the user of its images, without any capability', async () => {
        const { components, data } = await manifestOf(app)
        const owner = { uid: APP_USER_ID, gid: APP_USER_ID }
        for (const [name, { image, user, security }] of Object.entries(components)) {
          expect(user, name).to.deep.equal(owner)
          expect(security.capabilities, name).to.deep.equal([])
          expect(recipes[image]?.run.User, name).to.equal(`${owner.uid}:${owner.gid}`)
        }
        for (const set of Object.values(data)) expect(set.owner).to.deep.equal(owner)
      })

      it('keeps data only where a data set is mounted on a folder of the user', async () => {
        const { components } = await manifestOf(app)
        for (const [name, { image, mounts, security }] of Object.entries(components)) {
          const folders = recipes[image]?.layers.flatMap(layer => layer.appFolders ?? [])
          const mounted = mounts.filter(mount => 'data' in mount).map(({ path }) => path.slice(1))
          expect(folders, name).to.deep.equal(mounted)
          expect(security.readOnlyRoot, name).to.equal(true)
          expect(recipes[image]?.run.Volumes, name).to.equal(undefined)
        }
      })
    })
  }

  it('has two versions of hello-web that differ in the version and in the last layer', async () => {
    const [first, second] = await Promise.all([manifestOf('hello-web'), manifestOf('hello-web-2')])
    expect([first.version, second.version]).to.deep.equal(['1.0.0', '2.0.0'])
    expect({ ...second, version: first.version }).to.deep.equal(first)
    const [one, two] = [APPS['hello-web'].web.layers, APPS['hello-web-2'].web.layers]
    expect(two.slice(0, -1)).to.deep.equal(one.slice(0, -1))
    expect(two.at(-1)).not.to.deep.equal(one.at(-1))
  })

  for (const app of ['hello-web', 'hello-web-2']) {
    it(`serves the version of its manifest from ${app}`, async () => {
      const { version } = await manifestOf(app)
      const page = await readFile(join(FIXTURES, app, 'www/index.html'), 'utf8')
      expect(page).to.contain(`<p>version ${version}</p>`)
      expect(await readFile(join(FIXTURES, app, 'www/version'), 'utf8')).to.equal(`${version}\n`)
    })
  }
})
