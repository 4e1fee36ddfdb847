/**
 * Runs `archy app validate` and `archy app new` as an author would, on a machine where no node runs.
 * Goal: a mistake is named with rule, file, line and column, in every format, and the exit code says so.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeProcess } from '../support/node-process.ts'
import { runAppCommand } from '../support/publish/run-command.ts'
import { openWorkshop } from '../support/publish/workshop.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('archy app validate', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-validate-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function broken(): Promise<string> {
    const file = join(folder, 'archy.yaml')
    const lines = [
      'apiVersion: archy.app/v1',
      'id: app',
      'version: "1"',
      'title: App',
      'images: { web: { oci: images/web } }',
      'components:',
      '  web:',
      '    image: web',
      '    privileged: true',
      '    volumes: ["/var/run/docker.sock:/x"]',
    ]
    await writeFile(file, `${lines.join('\n')}\n`)
    return file
  }

  it('names rule, file, line, column and what to write instead', async () => {
    const file = await broken()
    const { out, isWell } = await runAppCommand(['validate', folder])
    expect(isWell).to.equal(false)
    const lines = out.trim().split('\n')
    expect(lines[0]).to.equal(
      `${file}:9:5: components.web.privileged: "privileged" is not possible: it would hand the whole machine to the app. ` +
        'Instead: name what it works with: devices, grants or security.capabilities [refused.privileged]',
    )
    expect(lines[2]).to.match(/archy\.yaml:10:15: .*\[refused\.engine-socket\]$/)
    expect(lines.at(-1)).to.equal(`${file} has 3 problems`)
  })

  it('gives one object with --json, whose rows say what is not ok', async () => {
    const file = await broken()
    const { out } = await runAppCommand(['validate', '--json', file])
    const { ok, rows, problems } = JSON.parse(out)
    const measured = 'refused.privileged, instead.data, refused.engine-socket'
    expect([ok, rows]).to.deep.equal([
      false,
      [{ id: file, must: 'no broken rule', measured, ok: false }],
    ])
    expect(problems[0]).to.include({
      kind: 'problem',
      rule: 'refused.privileged',
      line: 9,
      column: 5,
    })
  })

  it('gives annotations that GitHub understands, with its own characters escaped', async () => {
    const file = await broken()
    const { out } = await runAppCommand(['validate', '--format', 'github', file])
    expect(out.split('\n')[0]).to.match(
      /^::error file=[^,:]+archy\.yaml,line=9,col=5,title=refused\.privileged::components\.web\.privileged: "privileged"/,
    )
  })

  it('looks into images that are there: their volumes, their platforms', async () => {
    await using shop = await openWorkshop()
    const app = await shop.app('1', {
      volumes: ['/data'],
      image: '{ oci: image, platforms: [arm64] }',
    })
    const wrong = await runAppCommand(['validate', app.folder])
    expect(wrong.out).to.match(/:6:23: images\.web\.oci: .*arm64.*amd64.* \[image\.layout\]/)
    const open = await shop.app('1', { volumes: ['/data'] })
    const uncovered = await runAppCommand(['validate', open.folder])
    expect(uncovered.out).to.match(
      /:8:9: components\.main\.mounts: .*"\/data".* \[image\.volumes\]/,
    )
    expect([wrong.isWell, uncovered.isWell]).to.deep.equal([false, false])
  })

  it('takes a right app, and advises about what nothing uses', async () => {
    await using shop = await openWorkshop()
    const app = await shop.app('1')
    const { out, isWell } = await runAppCommand(['validate', app.folder])
    expect(isWell).to.equal(true)
    expect(out).to.match(/:5:16: data\.files: nothing uses data\.files \[advice\]/)
    expect(out).to.match(/is right; 1 piece of advice\n$/)
  })

  it('says of a place without a manifest that there is none, and goes on with the next', async () => {
    const file = await broken()
    const { out, isWell } = await runAppCommand(['validate', join(folder, 'nothing'), file])
    expect(out)
      .to.match(/nothing: cannot be read: ENOENT/)
      .and.match(/has 3 problems\n$/)
    expect(isWell).to.equal(false)
  })

  it('ends with 0, 1 or 2, without a node', async () => {
    await using node = await NodeProcess.make()
    const validate = async (...args: readonly string[]) =>
      (await node.run(['app', 'validate', ...args])).code
    expect(await validate(join(ROOT, 'fixtures/apps/notes'))).to.equal(0)
    expect(await validate(await broken())).to.equal(1)
    expect(await validate('--format', 'xml', 'x')).to.equal(2)
  })
})

describe('archy app convert', () => {
  const source = 'fixtures/manifests/reference/vaultwarden/manifest.yml'

  it('prints our manifest, and beside it what became of every key', async () => {
    const { out, err, isWell } = await runAppCommand(['convert', source])
    expect(out).to.match(/^apiVersion: archy\.app\/v1\nid: vaultwarden\n/)
    expect(err).to.contain('For you to decide:\n  container.image: save the image: skopeo copy')
    expect(isWell).to.equal(true)
  })

  it('gives one object with --json', async () => {
    const { out, err } = await runAppCommand(['convert', '--json', source])
    const { ok, manifest, report, problems } = JSON.parse(out)
    expect([ok, problems, err]).to.deep.equal([true, [], ''])
    expect(manifest).to.contain('id: vaultwarden')
    expect(report).to.have.keys('mapped', 'approximated', 'dropped', 'decide')
  })

  it('refuses what is no such manifest, naming the file', async () => {
    for (const file of ['fixtures/apps/notes/archy.yaml', 'fixtures/nothing.yml', 'README.md']) {
      const error = await runAppCommand(['convert', file]).catch((e: unknown) => e)
      expect(error).to.have.property('code', 'MANIFEST_UNKNOWN_FORM')
      expect(error).to.have.property('message').that.contains(file)
    }
  })
})

describe('archy app new', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-new-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  for (const template of ['web', 'web-postgres']) {
    it(`writes a manifest from ${template} that validates, with its schema beside it`, async () => {
      const place = join(folder, 'my-notes')
      await runAppCommand(['new', 'my-notes', '--template', template, '--folder', place])
      const text = await readFile(join(place, 'archy.yaml'), 'utf8')
      expect(text).to.match(/^# yaml-language-server: \$schema=\.\/archy\.schema\.json\n/)
      expect(text)
        .to.match(/\nid: my-notes\n/)
        .and.match(/\ntitle: My notes\n/)
      const schema = JSON.parse(await readFile(join(place, 'archy.schema.json'), 'utf8'))
      expect(schema.properties).to.have.property('components')
      const { out, isWell } = await runAppCommand(['validate', place])
      expect(isWell, out).to.equal(true)
      expect(out).to.match(/images\.web\.oci: is not there yet/)
    })
  }

  it('writes over nothing', async () => {
    const place = join(folder, 'my-notes')
    await runAppCommand(['new', 'my-notes', '--folder', place])
    await writeFile(join(place, 'archy.yaml'), 'mine')
    const again = await runAppCommand(['new', 'my-notes', '--folder', place]).catch(
      (e: unknown) => e,
    )
    expect(again).to.have.property('code', 'APP_FOLDER_EXISTS')
    expect(await readFile(join(place, 'archy.yaml'), 'utf8')).to.equal('mine')
  })

  it('refuses what no app may be called', async () => {
    const wrong = await runAppCommand(['new', 'My_Notes']).catch((e: unknown) => e)
    expect(wrong)
      .to.have.property('message')
      .that.matches(/lower-case words joined by single dashes/)
  })
})
