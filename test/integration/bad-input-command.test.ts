/** What a person gets who gives `archy` something wrong: an exit code, one clear line, and nothing is changed. */
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeProcess, type Outcome } from '../support/node-process.ts'
import { writeArchive } from '../support/publish/oci-layout.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('archy and wrong input', function () {
  this.timeout(30_000)
  let shop: Workshop
  let node: NodeProcess

  before(async () => {
    shop = await openWorkshop()
    node = await NodeProcess.make()
    expect((await node.run(['origin', 'init', shop.origin, '--unencrypted'])).code).to.equal(0)
  })
  after(async () => {
    await node[Symbol.asyncDispose]()
    await shop[Symbol.asyncDispose]()
  })

  /** Nothing on standard output, one line with the code, then one line per problem; no stack. */
  function expectRefusal(outcome: Outcome, exitCode: number, code: string): readonly string[] {
    expect(outcome.stderr).to.not.match(/^ +at /m)
    expect(outcome.stdout).to.equal('')
    expect(outcome.code, outcome.stderr).to.equal(exitCode)
    const [first = '', ...problems] = outcome.stderr
      .trimEnd()
      .split('\n')
      .filter(line => !line.startsWith('{'))
    expect(first).to.match(new RegExp(`^archy: .+ \\(${code}\\)$`))
    for (const problem of problems) expect(problem).to.match(/^ {2}\S/)
    return [first, ...problems]
  }

  async function add(folder: string, code: string): Promise<string> {
    const before = await filesOf(shop.origin)
    const lines = expectRefusal(await node.run(['origin', 'add', shop.origin, folder]), 1, code)
    expect(await filesOf(shop.origin)).to.deep.equal(before)
    return lines.join('\n')
  }

  async function edit(file: string, from: string, to: string): Promise<void> {
    const text = await readFile(file, 'utf8')
    expect(text).to.include(from)
    await writeFile(file, text.replace(from, to))
  }

  it('shows where an unknown key of a manifest stands, and which one was meant', async () => {
    const { folder } = await shop.app('1')
    await edit(join(folder, 'archy.yaml'), 'title:', 'titel:')
    const text = await add(folder, 'MANIFEST_INVALID')
    expect(text).to.match(/archy\.yaml:4:1: titel: .*did you mean "title"\?/)
  })

  it('refuses a version without a digit', async () => {
    const { folder } = await shop.app('latest')
    expect(await add(folder, 'MANIFEST_INVALID')).to.match(/archy\.yaml:3:\d+: version: .*digit/)
  })

  it('names the platform that an image does not have', async () => {
    const { folder } = await shop.app('1', { architecture: 'arm64' })
    expect(await add(folder, 'OCI_PLATFORM_MISSING')).to.match(/"web".*amd64.*arm64/)
  })

  it('refuses an image archive that was cut off', async () => {
    const { folder, layout } = await shop.app('1', { image: '{ oci: image.tar }' })
    const archive = join(folder, 'image.tar')
    const { length } = await writeArchive(layout, archive)
    await truncate(archive, Math.floor(length / 2))
    expect(await add(folder, 'OCI_TRUNCATED')).to.include('image.tar')
  })

  it('says that a folder holds no app', async () => {
    expect(await add(join(shop.path, 'absent'), 'MANIFEST_INVALID')).to.include('absent')
  })

  it('names every mistake of a configuration at once', async () => {
    await node.configure(
      'network: Home\norigin: {urls: ["http://127.0.0.1:1/"]}\nlog: loud\nswram: {}\n',
    )
    const lines = expectRefusal(await node.run(['node', 'run']), 1, 'CONFIG_INVALID')
    expect(lines).to.have.length(4)
    expect(lines[0]).to.include('3 mistakes')
    const text = lines.join('\n')
    expect(text).to.match(/config\.yaml:1:10: network: /)
    expect(text).to.match(/config\.yaml:3:6: log: /)
    expect(text).to.match(/config\.yaml:4:1: swram: .*did you mean "swarm"\?/)
    expect(await readdir(node.stateFolder)).to.deep.equal([])
  })

  it('says how to make a configuration where there is none, and names one that it cannot read', async () => {
    const missing = await node.run(['node', 'run', '--config', join(node.folder, 'none.yaml')])
    expect(expectRefusal(missing, 1, 'CONFIG_MISSING')[0]).to.match(/none\.yaml.*archy node init/)
    const folder = await node.run(['node', 'run', '--config', node.folder])
    expect(expectRefusal(folder, 1, 'CONFIG_INVALID')[0]).to.include(`${node.folder}: EISDIR`)
  })

  it('says in one line why a node cannot listen', async () => {
    await using taken = await takePort()
    await node.configure(nodeConfig(`/ip4/127.0.0.1/tcp/${taken.port}`))
    await writeFile(
      join(node.configFile, '../root.json'),
      await readFile(join(shop.origin, 'public/catalog/1.root.json')),
    )
    const [line] = expectRefusal(await node.run(['node', 'run']), 1, 'LISTEN_FAILED')
    expect(line).to.include(`tcp/${taken.port}: listen EADDRINUSE`)
  })

  it('refuses a root of trust that is missing, and one that is none', async () => {
    await node.configure(nodeConfig('/ip4/127.0.0.1/tcp/0', 'other.json'))
    const missing = expectRefusal(await node.run(['node', 'run']), 1, 'ROOT_MISSING')
    expect(missing[0]).to.include('other.json')
    await writeFile(join(node.configFile, '../other.json'), '{"signed": {}}')
    expectRefusal(await node.run(['node', 'run']), 1, 'ROOT_INVALID')
  })

  it('says which port of an origin is taken, and which file of its certificate is missing', async () => {
    await using taken = await takePort()
    const serve = ['origin', 'serve', shop.origin, '--port', String(taken.port)]
    const [line] = expectRefusal(await node.run(serve), 1, 'ORIGIN_LISTEN_FAILED')
    expect(line).to.match(new RegExp(`port ${taken.port}: another program .*--port`))
    const tls = await node.run([...serve, '--tls-key', 'absent.pem', '--tls-cert', 'absent.pem'])
    expect(expectRefusal(tls, 1, 'ENOENT')[0]).to.include('absent.pem')
  })

  it('exits with 3 and says how to start one when no node runs', async () => {
    const [line] = expectRefusal(await node.run(['status']), 3, 'NODE_NOT_RUNNING')
    expect(line).to.include('archy node run')
  })

  it('exits with 2 and explains a command line that is wrong', async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['stauts'], /unknown command 'stauts'\n.*status/],
      [['status', '--jsn'], /unknown option '--jsn'\n.*--json/],
      [['app', 'install'], /missing required argument 'id'/],
      [['origin', 'serve', 'x', '--tls-key', 'k'], /--tls-key and --tls-cert belong together/],
    ]
    const outcomes = await Promise.all(wrong.map(([args]) => node.run(args)))
    outcomes.forEach(({ code, stdout, stderr }, i) => {
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.match(wrong[i]?.[1] ?? expect.fail('no pattern'))
    })
  })
})

/** Every file below `folder` with its bytes, so that a test sees any change. */
async function filesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter(entry => entry.isFile()).map(e => join(e.parentPath, e.name))
  const contents = files.map(async path => [path, await readFile(path, 'base64')] as const)
  return Object.fromEntries(await Promise.all(contents))
}

function nodeConfig(listen: string, rootFile = 'root.json'): string {
  return [
    'network: test',
    `origin: {urls: ["http://127.0.0.1:1/"], rootFile: ${rootFile}}`,
    `swarm: {listen: ["${listen}"]}`,
    'orchestrator: {mode: render}',
    '',
  ].join('\n')
}

async function takePort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())),
  }
}
