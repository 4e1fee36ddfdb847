/** The keys of an origin over the years: passphrases, rotations, losses, several holders. Nodes that began with root 1 follow all of it. */
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Catalog } from '../../catalog/catalog.ts'
import { createCatalog } from '../../catalog/client.ts'
import { readKeyFile } from '../../catalog/publish/keys/locator.ts'
import { signerOf, signWith } from '../../catalog/publish/keys/signer.ts'
import type { MetadataSource } from '../../catalog/source.ts'
import { systemClock } from '../../src/core/clock.ts'
import { codeOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { silentLog } from '../../src/core/log.ts'
import { runOriginCommand } from '../support/publish/run-command.ts'

const DAY_MS = 86_400_000

describe('the keys of an origin', function () {
  this.timeout(60_000)
  let folder: string
  let dir: string
  let secret: readonly string[]
  let nowMs: number

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-keys-'))
    dir = join(folder, 'origin')
    const file = join(folder, 'passphrase')
    await writeFile(file, 'correct horse battery staple\n')
    secret = ['--passphrase-file', file]
    nowMs = Date.UTC(2026, 10, 24)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const run = (...args: readonly string[]) => runOriginCommand(args, nowMs)
  const json = async (...args: readonly string[]) =>
    JSON.parse((await run(...args, '--json')).out) as Record<string, unknown>
  const failure = async (...args: readonly string[]): Promise<string | undefined> =>
    codeOf(await run(...args).catch((error: unknown) => error))
  const versionsNow = async (): Promise<Record<string, number>> => {
    const { versions } = await json('publish', dir, ...secret)
    return versions as Record<string, number>
  }

  /** A node that was given root 1 and nothing else. */
  async function bootNode(name: string): Promise<Catalog> {
    const catalog = join(dir, 'public/catalog')
    const source: MetadataSource = {
      name: 'origin',
      kind: 'origin',
      get: (file, maxBytes) => readFileBounded(join(catalog, file), maxBytes),
    }
    return await createCatalog({
      sources: () => [source],
      folder: join(folder, name),
      root: await readFile(join(catalog, '1.root.json')),
      clock: { ...systemClock, nowMs: () => nowMs },
      log: silentLog,
    })
  }

  describe('of one person', () => {
    let sheet: string
    let node: Catalog
    beforeEach(async () => {
      const made = await run('init', dir, ...secret)
      const line = /^ {4}(ed25519 .*)$/m.exec(made.out)?.[1] ?? ''
      sheet = join(folder, 'sheet')
      await writeFile(sheet, line)
      node = await bootNode('node')
      await node.refresh()
    })

    it('are behind one passphrase, but for those that a machine uses alone', async () => {
      const kinds = await Promise.all(
        (await readdir(join(dir, 'keys'))).sort().map(async name => {
          const file = JSON.parse(await readFile(join(dir, 'keys', name), 'utf8'))
          return `${name} ${file.cipher === null ? 'plain' : 'guarded'}`
        }),
      )
      expect(kinds).to.deep.equal([
        'core.key guarded',
        'registry.key plain',
        'root.key guarded',
        'snapshot.key plain',
        'targets.key guarded',
        'timestamp.key plain',
      ])
      expect(await failure('init', join(folder, 'other'))).to.equal('PASSPHRASE_WANTED')
    })

    it('stamp every day without a passphrase, and nothing else is signed', async () => {
      const before = (await json('stamp', dir)) as {
        versions: Record<string, number>
        signed: string[]
      }
      expect(before.signed).to.deep.equal(['timestamp'])
      nowMs += 8 * DAY_MS
      const after = (await json('stamp', dir)) as typeof before
      expect(after.signed).to.deep.equal(['snapshot', 'timestamp'])
      expect(after.versions.targets).to.equal(1)
      await node.refresh()
      expect(node.status()).to.include({ freshness: 'fresh', timestamp: after.versions.timestamp })
      nowMs += 13 * DAY_MS
      const later = (await json('stamp', dir)) as typeof before
      expect(later.signed).to.include('registry').and.not.include('core')
    })

    it('refuse to stamp from a folder that was restored from a backup', async () => {
      const backup = join(folder, 'backup')
      const served = join(folder, 'served')
      await run('stamp', dir, '--to', served)
      await cp(dir, backup, { recursive: true })
      await run('stamp', dir, '--to', served)
      expect(await failure('stamp', backup, '--to', served)).to.equal('HEAD_UNEXPECTED')
    })

    for (const role of ['timestamp', 'snapshot', 'targets', 'core', 'registry', 'root']) {
      it(`are replaced for ${role}, and a node that was away follows`, async () => {
        const { keys, root } = await json('rotate', dir, role, ...secret)
        expect(keys).to.deep.equal({ [role]: `${role}-2` })
        const isTop = role !== 'core' && role !== 'registry'
        expect(root).to.equal(isTop ? 2 : undefined)
        await node.refresh()
        expect(node.status()).to.include({ root: isTop ? 2 : 1, freshness: 'fresh' })
        expect(node.status().notices).to.be.empty
        await rm(join(dir, `keys/${role}.key`))
        const { timestamp = 0 } = await versionsNow()
        await node.refresh()
        expect(node.status().timestamp).to.equal(timestamp)
      })
    }

    it('leave an origin that can be published after a crash between a new root and its timestamp', async () => {
      const old = await readFile(join(dir, 'public/catalog/timestamp.json'))
      const state = await readFile(join(dir, 'draft/state.json'))
      await json('rotate', dir, 'timestamp', ...secret)
      await writeFile(join(dir, 'public/catalog/timestamp.json'), old)
      await writeFile(join(dir, 'draft/state.json'), state)
      const { timestamp } = await versionsNow()
      await node.refresh()
      expect(node.status()).to.include({ root: 2, timestamp })
    })

    it('come back from the recovery sheet when root, targets and core are lost', async () => {
      for (const name of ['root', 'targets', 'core']) await rm(join(dir, `keys/${name}.key`))
      expect(await failure('rotate', dir, 'root', ...secret)).to.equal('KEY_MISSING')
      const doctor = await run('doctor', dir)
      expect(doctor.isWell).to.equal(false)
      expect(doctor.out).to.match(/ERROR {3}key root: there is no key file.*recover from-sheet/)
      const back = await run('recover', 'from-sheet', dir, '--recovery-file', sheet, ...secret)
      expect(back.out).to.include('NEW RECOVERY SHEET')
      await node.refresh()
      expect(node.status()).to.include({ root: 2, freshness: 'fresh' })
      const again = await failure('recover', 'from-sheet', dir, '--recovery-file', sheet, ...secret)
      expect(again).to.equal('REQUEST_MISMATCH')
      await versionsNow()
    })

    it('make nodes forget version numbers that a thief used up', async () => {
      const served = join(dir, 'public/catalog/timestamp.json')
      const honest = await readFile(served)
      const { signed } = JSON.parse(honest.toString('utf8'))
      const key = await readKeyFile(join(dir, 'keys/timestamp.key'))
      const thief = signerOf(await key.open(async () => ''))
      await writeFile(served, await signWith({ ...signed, version: 9000 }, [thief]))
      await node.refresh()
      expect(node.status().timestamp).to.equal(9000)
      await writeFile(served, honest)
      await run('publish', dir, ...secret)
      expect(codeOf(await node.refresh().catch((error: unknown) => error))).to.equal(
        'VERSION_ROLLBACK',
      )
      const { keys, root } = await json('recover', 'fast-forward', dir, ...secret)
      expect(keys).to.have.keys('timestamp', 'snapshot')
      expect(root).to.equal(2)
      const { timestamp } = await versionsNow()
      await node.refresh()
      expect(node.status()).to.include({ root: 2, timestamp, freshness: 'fresh' })
    })

    /** A merged root with the key `box`, which no program has. */
    async function mergeRoot(timestampKeys: string, locator: string): Promise<string> {
      const box = join(folder, 'box.key')
      await run('key', 'new', '--out', box, '--unencrypted')
      await run('key', 'add', dir, 'box', locator, '--public', `${box}.pub`)
      const [request, signature] = [join(folder, 'root-2.req'), join(folder, 'root-2.sig')]
      const set = ['--set', `timestamp=${timestampKeys}:1`]
      await run('request', 'create', dir, 'root', '--out', request, ...set)
      const signer = ['--origin', dir, '--name', 'root', ...secret]
      await run('sign', request, '--out', signature, ...signer)
      await run('merge', dir, request, signature)
      return (await readKeyFile(box)).keyId
    }
    /** What the next publication would do, without the signature of a program that cannot sign. */
    const makeLive = async (): Promise<void> =>
      await rename(join(dir, 'draft/signed/2.root.json'), join(dir, 'public/catalog/2.root.json'))

    it('are replaced where they are files; a program or a token beside one keeps its place', async () => {
      const kept = await mergeRoot('timestamp,box', 'cmd:false')
      await makeLive()
      const failed = await run('rotate', dir, 'timestamp', ...secret).catch(
        (error: unknown) => error,
      )
      expect(codeOf(failed)).to.equal('SIGNER_FAILED')
      const root = await readFile(join(dir, 'draft/signed/3.root.json'), 'utf8')
      const { timestamp } = JSON.parse(root).signed.roles
      const { keyId } = await readKeyFile(join(dir, 'keys/timestamp-2.key'))
      expect(timestamp.keyids).to.have.members([kept, keyId])
    })

    it('are not joined by one that is enough alone, where none of them is a file', async () => {
      await mergeRoot('box', 'cmd:false')
      await makeLive()
      const error = await run('rotate', dir, 'timestamp', ...secret).catch(
        (reason: unknown) => reason,
      )
      expect(codeOf(error)).to.equal('KEY_MISSING')
      expect(String(error)).to.include('request create --set timestamp=')
      expect(await readdir(join(dir, 'keys'))).to.have.length(6)
    })

    it('are not replaced over a root that its holders signed and nobody published yet', async () => {
      await mergeRoot('timestamp,box', 'none')
      const pending = join(dir, 'draft/signed/2.root.json')
      const before = await readFile(pending)
      const error = await run('rotate', dir, 'timestamp', ...secret).catch(
        (reason: unknown) => reason,
      )
      expect(codeOf(error)).to.equal('ROOT_PENDING')
      expect(String(error)).to.include(pending)
      expect((await readFile(pending)).equals(before)).to.equal(true)
      await run('publish', dir, ...secret)
      expect((await run('rotate', dir, 'timestamp', ...secret)).out).to.include('Root 3 says so')
    })

    it('are looked at by the doctor, who names every end and what to do', async () => {
      const well = await run('doctor', dir)
      expect(well.isWell, well.out).to.equal(true)
      expect(well.out).to.match(/ok {6}root: 1 of 2 keys \(.*recovery/)
      nowMs += 6 * DAY_MS
      expect((await run('doctor', dir)).out).to.match(
        /warning timestamp ends in 1 days; archy origin stamp/,
      )
      nowMs += 2 * DAY_MS
      const late = await run('doctor', dir)
      expect(late.isWell).to.equal(false)
      expect(late.out).to.match(/ERROR {3}timestamp ended 1 days ago/)
      nowMs -= 30 * DAY_MS
      expect((await run('doctor', dir)).out).to.match(
        /ERROR {3}the last catalog was signed \d+ minutes in the future/,
      )
    })

    it('become those of three people, two of whom are enough, without a new root for nodes', async () => {
      for (const name of ['bob', 'carol']) {
        const file = join(folder, `${name}.key`)
        await run('key', 'new', '--out', file, ...secret)
        await run('key', 'add', dir, name, 'none', '--public', `${file}.pub`)
      }
      const request = join(folder, 'root-2.req')
      const set = ['--set', 'root=root,bob,carol:2', '--set', 'targets=targets,bob,carol:2']
      const shown = await run('request', 'create', dir, 'root', '--out', request, ...set)
      expect(shown.out).to.match(
        /old root: 1 of root, recovery\nnew root: 2 of root, bob, carol|new root: 2 of/,
      )
      expect((await run('request', 'show', request)).out).to.include(
        'roles › root › threshold: 1 → 2',
      )
      const sign = async (name: string, key: string): Promise<string> => {
        const out = join(folder, `${name}.sig`)
        await run('sign', request, '--key', key, '--out', out, ...secret)
        return out
      }
      const mine = await sign('root', join(dir, 'keys/root.key'))
      expect(await failure('merge', dir, request, mine)).to.equal('THRESHOLD_UNMET')
      const bobs = await sign('bob', join(folder, 'bob.key'))
      await run('merge', dir, request, mine, bobs)
      // Targets needs two of three now as well: publishing says so, and how.
      const stuck = await run('publish', dir, ...secret).catch((error: unknown) => error)
      expect(codeOf(stuck)).to.equal('KEY_MISSING')
      expect(String(stuck)).to.include('request create')
      const targets = join(folder, 'targets.req')
      await run('request', 'create', dir, 'targets', '--out', targets)
      const parts = []
      for (const [name, key] of [
        ['t', join(dir, 'keys/targets.key')],
        ['b', join(folder, 'bob.key')],
      ] as const) {
        const out = join(folder, `${name}.targets.sig`)
        await run('sign', targets, '--key', key, '--out', out, ...secret)
        parts.push(out)
      }
      await run('merge', dir, targets, ...parts)
      const { root } = await versionsNow()
      expect(root).to.equal(2)
      await node.refresh()
      expect(node.status()).to.include({ root: 2, freshness: 'fresh' })
      const all = ['--set', 'root=root,bob,carol:3']
      const tooHigh = await failure('request', 'create', dir, 'root', '--out', request, ...all)
      expect(tooHigh).to.equal('THRESHOLD_UNMET')
    })

    it('count only signatures of this request by keys that it asks for', async () => {
      const request = join(folder, 'root.req')
      await run('request', 'create', dir, 'root', '--out', request)
      const stranger = join(folder, 'stranger.key')
      await run('key', 'new', '--out', stranger, ...secret)
      const out = join(folder, 'x.sig')
      const refused = await failure('sign', request, '--key', stranger, '--out', out, ...secret)
      expect(refused).to.equal('REQUEST_MISMATCH')
      await run('sign', request, '--key', join(dir, 'keys/root.key'), '--out', out, ...secret)
      const signature = JSON.parse(await readFile(out, 'utf8'))
      await writeFile(out, JSON.stringify({ ...signature, request: 'ab'.repeat(32) }))
      const error = await run('merge', dir, request, out).catch((reason: unknown) => reason)
      expect(error)
        .to.have.property('problems')
        .that.satisfies((problems: readonly string[]) =>
          problems.some(each => each.includes('it signs another request')),
        )
    })
  })

  it('may be in any program: its signature is checked, and its failure is told', async () => {
    await run('init', dir, '--unencrypted')
    const key = join(folder, 'box.key')
    await run('key', 'new', '--out', key, '--unencrypted')
    const program = join(folder, 'box')
    const code = `
      import { createPrivateKey, sign } from 'node:crypto'
      import { readFileSync } from 'node:fs'
      const { data } = JSON.parse(readFileSync(${JSON.stringify(key)}, 'utf8'))
      const secret = createPrivateKey({ key: Buffer.from(data, 'base64'), format: 'der', type: 'pkcs8' })
      if (process.argv[2] === 'broken') { console.error('the box is locked'); process.exit(3) }
      const bytes = process.argv[2] === 'wrong' ? Buffer.from('x') : readFileSync(0)
      process.stdout.write(sign(null, bytes, secret).toString('hex') + '\\n')`
    await writeFile(`${program}.mjs`, code)
    await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${program}.mjs "$@"\n`)
    await chmod(program, 0o755)
    const request = join(folder, 'root.req')
    for (const [name, word] of [
      ['box', ''],
      ['wrong', ' wrong'],
      ['broken', ' broken'],
    ] as const) {
      await run('key', 'add', dir, name, `cmd:${program}${word}`, '--public', `${key}.pub`)
    }
    await run('request', 'create', dir, 'root', '--out', request, '--set', 'root=root,box:1')
    const sign = (name: string) =>
      run('sign', request, '--origin', dir, '--name', name, '--out', join(folder, 's'))
    expect((await sign('box')).out).to.include('Signed')
    const wrong = await sign('wrong').catch((error: unknown) => error)
    expect(codeOf(wrong)).to.equal('SIGNER_FAILED')
    const broken = await sign('broken').catch((error: unknown) => error)
    expect(String(broken)).to.match(/ended with 3: the box is locked/)
  })
})
