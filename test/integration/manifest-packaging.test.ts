/**
 * Packages an app with nothing at hand but docs/manifest.md.
 * Goal: the page is enough: its whole example, with two images beside it, is validated, published and read by a node.
 * Method: the manifest is the text of the page; the images have the form of real ones.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parsePublishedManifest } from '../../catalog/manifest/parse.ts'
import { addApp, initOrigin, originFolder, publishOrigin } from '../../catalog/publish/index.ts'
import { blobPath } from '../../catalog/publish/origin-folder.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { runAppCommand } from '../support/publish/run-command.ts'
import { NOW_MS } from '../support/publish/workshop.ts'

describe('an app packaged from docs/manifest.md', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-packaging-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('is right, is published, and is what nodes read', async () => {
    const page = await readFile('docs/manifest.md', 'utf8')
    const manifest = /<!-- example: whole app -->\n```yaml\n(.*?)```/s.exec(page)?.[1] ?? ''
    const app = join(folder, 'page-counter')
    await mkdir(join(app, 'images'), { recursive: true })
    await writeFile(join(app, 'archy.yaml'), manifest)
    const { folders } = await buildAppFolders({ mode: 'stub', cacheFolder: join(folder, 'cache') })
    await cp(join(folders['hello-web'], 'images/web'), join(app, 'images/web'), { recursive: true })
    await cp(join(folders.notes, 'images/cache'), join(app, 'images/cache'), { recursive: true })

    const { out, isWell } = await runAppCommand(['validate', app])
    expect([isWell, out]).to.deep.equal([true, `${join(app, 'archy.yaml')} is right\n`])

    const origin = join(folder, 'origin')
    await initOrigin(origin, { nowMs: NOW_MS })
    const added = await addApp(origin, app)
    await publishOrigin(origin, { nowMs: NOW_MS })
    const blob = blobPath(originFolder(origin), added.manifest.blake3)
    const published = parsePublishedManifest(await readFile(blob))
    expect(published.id).to.equal('page-counter')
    expect(published.images.cache?.platforms.amd64?.layers).to.have.length.above(0)
  })
})
