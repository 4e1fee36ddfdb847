import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readLocalManifests } from '../../../catalog/local-manifests.ts'
import { MANIFEST_API_VERSION } from '../../../catalog/manifest/schema.ts'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { digestOf } from '../../../src/core/digest.ts'
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.ts'

const ref = (text: string, size = 10): object => ({
  blake3: digestOf(Buffer.from(text)),
  sha256: `sha256:${'ab'.repeat(32)}`,
  size,
  mediaType: 'application/x-test',
})
const platform = { manifest: ref('m'), config: ref('c'), layers: [ref('l'), ref('l')] }
const manifest = {
  apiVersion: MANIFEST_API_VERSION,
  id: 'notes',
  version: '1.0',
  title: 'Notes',
  images: { web: { platforms: { amd64: platform } } },
  components: { web: { image: 'web' } },
}

describe('manifests on this machine', () => {
  let folder: TempFolder
  beforeEach(async () => {
    folder = await makeTempFolder()
  })
  afterEach(() => folder[Symbol.asyncDispose]())
  const put = (name: string, text: string): Promise<void> =>
    writeFile(join(folder.path, name), text)

  it('become entries with number 0 whose address is that of their canonical form', async () => {
    await put('notes.json', JSON.stringify(manifest, undefined, 2))
    const { manifests, problems } = await readLocalManifests(folder.path)
    expect(problems).to.deep.equal([])
    const { entry, bytes } = manifests.get('notes') ?? expect.fail('it was not read')
    expect(Buffer.compare(bytes, canonicalJson(manifest))).to.equal(0)
    expect(entry).to.include({ publisher: 'local', app: 'notes', seq: 0, version: '1.0' })
    expect(entry.manifest).to.include({ blake3: digestOf(bytes), size: bytes.length })
    expect(entry.totalSize).to.equal(bytes.length + 30)
  })

  it('are the same in YAML, and other files of the folder are left alone', async () => {
    const { version, ...rest } = manifest
    await put('notes.yaml', `# mine\nversion: "${version}"\n${JSON.stringify(rest).slice(1, -1)}`)
    await put('README.txt', 'not a manifest')
    const wrong = await readLocalManifests(folder.path)
    expect(wrong.problems.join()).to.match(/notes\.yaml:\d+:\d+/)
    await put('notes.yaml', `# mine\n${JSON.stringify(manifest)}`)
    const { manifests, problems } = await readLocalManifests(folder.path)
    expect(problems).to.deep.equal([])
    expect([...manifests.keys()]).to.deep.equal(['notes'])
  })

  it('take away nothing but themselves when they are wrong, and the problem names the file', async () => {
    await put('notes.json', JSON.stringify(manifest))
    await put('notes.yml', JSON.stringify(manifest))
    await put('chat.json', JSON.stringify(manifest))
    await put('float.json', JSON.stringify({ ...manifest, id: 'float', title: 1.5 }))
    await put('keys.json', JSON.stringify({ ...manifest, id: 'keys', privileged: true }))
    await put('big.json', ' '.repeat(2 ** 20 + 1))
    const { manifests, problems } = await readLocalManifests(folder.path)
    expect([...manifests.keys()]).to.deep.equal(['notes'])
    expect(problems).to.have.length(5)
    expect(problems[0]).to.match(/^local manifest big\.json: /)
    expect(problems[1]).to.match(/^local manifest chat\.json: holds the app notes/)
    expect(problems[2]).to.match(/^local manifest float\.json: /)
    expect(problems[3]).to.match(/^local manifest keys\.json: .*privileged/)
    expect(problems[4]).to.match(/^local manifest notes\.yml: another file has the app notes/)
  })

  it('are bounded in number, and a missing folder is one problem', async () => {
    for (let index = 0; index < 258; index += 1) await put(`a${index}.json`, '{}')
    const many = await readLocalManifests(folder.path)
    expect(many.problems).to.have.length(20)
    expect(many.problems[0]).to.include('only the first 256 files are read')
    const { manifests, problems } = await readLocalManifests(join(folder.path, 'none'))
    expect(manifests.size).to.equal(0)
    expect(problems).to.have.length(1)
    expect(problems[0]).to.match(/^local manifest folder .* cannot be read/)
  })
})
