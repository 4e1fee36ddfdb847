/** The commands for publishers and places, as people type them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { originFolder } from '../../catalog/publish/index.ts'
import { readLiveCatalog } from '../../catalog/publish/live-catalog.ts'
import { runOriginCommand } from '../support/publish/run-command.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('archy origin, for other publishers and other places', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
    await run('init', shop.origin, '--unencrypted')
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const run = async (...args: readonly string[]) => (await runOriginCommand(args)).out
  const failure = (...args: readonly string[]) =>
    run(...args).then(
      () => 'no failure',
      (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`,
    )

  it('makes a publisher, lists it, updates it after a rotation, and revokes it', async () => {
    const folder = join(shop.path, 'publisher')
    const made = await run('init', folder, '--publisher', '--unencrypted', '--key-type', 'p256')
    const did = /Your identity is (did:key:zDn\w+)/.exec(made)?.[1] ?? expect.fail(made)
    const sheet = /^ {4}(p256 .*)$/m.exec(made)?.[1] ?? expect.fail(made)
    await run('release', 'add', folder, (await shop.app('1')).folder)
    expect(await run('publish', folder)).to.match(/^Published feed 2 with 1 entry as feeds\/z/)
    const from = ['--from', folder]
    expect(await failure('delegate', 'update', shop.origin, did, ...from)).to.match(
      /not listed here yet/,
    )
    const added = await run('delegate', 'add', shop.origin, did, '--tier', 'registry', ...from)
    expect(added).to.match(
      /^File 2 of did:key:zDn.* is imported.*\nIt is registry,.*\.hello\.\nNext:/,
    )
    expect(await run('publish', shop.origin)).to.match(/^Published catalog 2 with 1 entry/)
    await writeFile(join(shop.path, 'sheet'), sheet)
    const rotated = await run(
      'publisher',
      'rotate',
      '--unencrypted',
      folder,
      '--recovery-file',
      join(shop.path, 'sheet'),
    )
    expect(rotated)
      .to.match(/RECOVERY SHEET/)
      .and.not.contain(sheet)
    await run('publish', folder)
    expect(await run('delegate', 'update', shop.origin, did, ...from)).to.match(
      /^File 3 .*\nIt is registry/,
    )
    expect(await run('delegate', 'list', shop.origin)).to.match(
      /registry +z[0-9a-f]{20} +3 +did:key/,
    )
    await run('delegate', 'revoke', shop.origin, did)
    expect(await run('publish', shop.origin)).to.match(/with 0 entries/)
    expect(await run('delegate', 'list', shop.origin)).to.match(/revoked +- +- +did:key/)
  })

  it('publishes to a folder, and only over the head that is expected', async () => {
    const to = ['--to', join(shop.path, 'www')]
    const first = await run('publish', shop.origin, ...to, '--expect-head', '0')
    expect(first).to.match(
      /\nBrought \d+ files, .* to .*www; read back from there and verified\.\n$/,
    )
    expect(await failure('publish', shop.origin, ...to, '--expect-head', '7')).to.match(
      /^HEAD_UNEXPECTED: .* it serves catalog 2, not 7/,
    )
    const served = await readFile(join(shop.path, 'www/catalog/timestamp.json'), 'utf8')
    expect(JSON.parse(served).signed.version).to.equal(2)
    expect(await failure('publish', shop.origin, '--to', 's3://UPPER/x')).to.match(
      /^DESTINATION_FAILED/,
    )
    await writeFile(join(shop.path, 'file'), '')
    expect(await failure('publish', shop.origin, '--to', join(shop.path, 'file'))).to.match(
      /^DESTINATION_FAILED: .* is no folder/,
    )
  })

  it('writes a bundle', async () => {
    await run('release', 'add', shop.origin, (await shop.app('1')).folder)
    await run('publish', shop.origin)
    const out = join(shop.path, 'stick')
    await mkdir(out)
    const text = await run('bundle', 'export', shop.origin, '--out', out, '--app', 'hello')
    expect(text).to.match(
      /^Wrote .* and read all of it back\.\nIt has catalog 2, fresh until .*, with hello\./,
    )
  })

  it('names peers to new nodes, says which of them nodes do not dial, and refuses what is no address', async () => {
    const at = (host: string) => `/ip4/${host}/tcp/4001/p2p/12D3KooW${'A'.repeat(44)}`
    const [one, home] = [at('9.9.9.9'), at('192.168.1.7')]
    expect(await run('bootstrap', shop.origin)).to.equal('The catalog names no peers.\n')
    const named = await run('bootstrap', shop.origin, '--add', one, home)
    expect(named).to.match(
      /\nNodes do not dial \/ip4\/192\.168\.1\.7.*\nNext: archy origin publish/,
    )
    await run('publish', shop.origin)
    const live = await readLiveCatalog(originFolder(shop.origin))
    expect(live?.targets.bootstrap.addresses).to.deep.equal([one, home])
    const after = await run('bootstrap', shop.origin, '--remove', home, '--json')
    expect(JSON.parse(after)).to.deep.equal({ bootstrap: [one], notDialled: [] })
    expect(await failure('bootstrap', shop.origin, '--add', '/dns4/a.example/tcp/1')).to.match(
      /^DECISION_REFUSED: .* is not of the form/,
    )
  })

  it('acknowledges a fork in the targets, signed by the offline key', async () => {
    const [one, other] = ['11'.repeat(32), '22'.repeat(32)]
    await run('acknowledge-fork', shop.origin, other, one)
    await run('acknowledge-fork', shop.origin, one, other)
    await run('publish', shop.origin)
    const live = await readLiveCatalog(originFolder(shop.origin))
    expect(live?.targets.acknowledgedForks).to.deep.equal([[one, other]])
    expect(await failure('acknowledge-fork', shop.origin, one, one)).to.match(/^DECISION_REFUSED/)
  })
})
