/**
 * A root key on a token, through `pkcs11-tool` as it is.
 * Goal: a token is a holder like any other; what it signs, nodes accept.
 * Method: SoftHSM, on this machine itself; it is in the lab because the lab brings its Debian packages.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCatalog } from '../../catalog/client.ts'
import { systemClock } from '../../src/core/clock.ts'
import { codeOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { silentLog } from '../../src/core/log.ts'
import { runOriginCommand } from '../support/publish/run-command.ts'

const MODULE = '/usr/lib/softhsm/libsofthsm2.so'
const PIN = '271828'

describe('a key on a token', () => {
  let folder: string
  let dir: string
  const environment = new Map<string, string | undefined>()
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-token-'))
    dir = join(folder, 'origin')
    await mkdir(join(folder, 'tokens'))
    const config = `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n`
    await writeFile(join(folder, 'softhsm2.conf'), config)
    set('SOFTHSM2_CONF', join(folder, 'softhsm2.conf'))
    set('ARCHY_TEST_PIN', PIN)
    tool(
      'softhsm2-util',
      '--init-token',
      '--free',
      '--label',
      'archy',
      '--pin',
      PIN,
      '--so-pin',
      '31415926',
    )
    const login = ['--module', MODULE, '--token-label', 'archy', '--login', '--pin', PIN]
    tool('pkcs11-tool', ...login, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', '01')
  })
  after(async () => {
    for (const [name, value] of environment) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await rm(folder, { recursive: true, force: true })
  })

  function set(name: string, value: string): void {
    environment.set(name, process.env[name])
    process.env[name] = value
  }
  function tool(program: string, ...args: readonly string[]): void {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
    expect(status, `${program}: ${error?.message ?? stderr}`).to.equal(0)
  }
  const run = (...args: readonly string[]) => runOriginCommand(args)
  const place = (id: string, pin = 'ARCHY_TEST_PIN') =>
    `pkcs11:module=${MODULE};token=archy;id=${id};pin-env=${pin}`
  const failure = async (...args: readonly string[]) =>
    codeOf(await run(...args).catch((error: unknown) => error))

  it('is one of three holders of a root, two of whom are enough, and nodes follow', async () => {
    await run('init', dir, '--unencrypted')
    // The public half comes from the token itself.
    await run('key', 'add', dir, 'token', place('01'))
    await run('key', 'new', '--out', join(folder, 'bob.key'), '--unencrypted')
    await run('key', 'add', dir, 'bob', 'none', '--public', join(folder, 'bob.key.pub'))
    const request = join(folder, 'root-2.req')
    await run('request', 'create', dir, 'root', '--out', request, '--set', 'root=root,bob,token:2')
    const sign = async (name: string) => {
      const out = join(folder, `${name}.sig`)
      await run('sign', request, '--origin', dir, '--name', name, '--out', out)
      return out
    }
    await run('merge', dir, request, await sign('root'), await sign('token'))
    await run('publish', dir)
    const catalog = join(dir, 'public/catalog')
    const node = await createCatalog({
      sources: () => [
        {
          name: 'origin',
          kind: 'origin',
          get: (name, maxBytes) => readFileBounded(join(catalog, name), maxBytes),
        },
      ],
      folder: join(folder, 'node'),
      root: await readFile(join(catalog, '1.root.json')),
      clock: systemClock,
      log: silentLog,
    })
    await node.refresh()
    expect(node.status()).to.include({ root: 2, freshness: 'fresh' })
    expect(node.status().notices).to.deep.equal([])
  })

  it('signs alone where two of three are the token and a file on this machine', async () => {
    const { out } = await run('rotate', dir, 'timestamp')
    expect(out).to.include('Root 3 says so')
  })

  it('says in the words of the token what is wrong', async () => {
    const request = join(folder, 'root-4.req')
    await run('request', 'create', dir, 'root', '--out', request)
    const out = join(folder, 'x.sig')
    set('ARCHY_TEST_WRONG_PIN', '999999')
    const pub = join(folder, 'token.der')
    tool(
      'pkcs11-tool',
      '--module',
      MODULE,
      '--token-label',
      'archy',
      '--read-object',
      '--type',
      'pubkey',
      '--id',
      '01',
      '--output-file',
      pub,
    )
    await run('key', 'add', dir, 'locked', place('01', 'ARCHY_TEST_WRONG_PIN'), '--public', pub)
    const locked = await run(
      'sign',
      request,
      '--origin',
      dir,
      '--name',
      'locked',
      '--out',
      out,
    ).catch((error: unknown) => error)
    expect(codeOf(locked)).to.equal('SIGNER_FAILED')
    expect(String(locked)).to.match(/the token of "locked" ended with 1: .*PIN/s)
    expect(await failure('key', 'add', dir, 'gone', place('77'))).to.equal('SIGNER_FAILED')
  })
})
