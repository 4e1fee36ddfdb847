/**
 * Types the guide for publishers, `docs/publishing.md`, as a reader would.
 * Goal: whoever follows the guide from top to bottom has a catalog that nodes accept.
 * Method: every `sh` block runs in order in one shell; then the node's own client and tuf-js read what is served.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Command } from 'commander'
import { BaseFetcher, Updater } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import { createCatalog } from '../../catalog/client.ts'
import type { MetadataSource } from '../../catalog/source.ts'
import { appCommand } from '../../src/commands/app.ts'
import { nodeCommand } from '../../src/commands/node.ts'
import { originCommand } from '../../src/commands/origin.ts'
import { systemClock } from '../../src/core/clock.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { silentLog } from '../../src/core/log.ts'
import { foldersFrom } from '../../src/folders.ts'
import { tarOf, writeArchive, writeLayout } from '../support/publish/oci-layout.ts'

const ROOT = join(import.meta.dirname, '../..')
const GUIDE = await readFile(join(ROOT, 'docs/publishing.md'), 'utf8')
/** What the reader brings: an image, in three versions. */
const VERSIONS = ['1.0.0', '1.1.0', '1.2.0'] as const
/** Some eighty commands, each a process, on a busy machine. */
const TYPING_MS = 600_000

const io = { stdout: () => undefined, stderr: () => undefined, isTty: false }
const stopped = new AbortController().signal
const clock = systemClock

describe('the guide for publishers', () => {
  it('names only commands and options that exist', () => {
    const folders = foldersFrom({ HOME: '/home/reader' }, 1000)
    const commands = [
      originCommand({ io, clock, stopped, fail: () => undefined }),
      appCommand({ io, clock, stopped, socket: folders.socket, fail: () => undefined }),
      nodeCommand({ io, folders, stopped, notifySocket: undefined }),
    ]
    const named = commandsIn(GUIDE)
    expect(named).to.have.length.above(80)
    expect(named.flatMap(words => mistakesIn(words, commands))).to.deep.equal([])
  })

  it('speaks of every command for publishers', () => {
    const origin = originCommand({ io, clock, stopped, fail: () => undefined })
    const leaves = leavesOf(origin).filter(name => name !== 'origin publisher rotate')
    expect(leaves.filter(name => !GUIDE.includes(`archy ${name}`))).to.deep.equal([])
  })

  describe('typed from top to bottom', function () {
    this.timeout(TYPING_MS)
    let folder: string
    let said: string
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'archy-guide-'))
      await mkdir(join(folder, 'build'))
      for (const version of VERSIONS) {
        const layout = join(folder, 'layouts', version)
        await mkdir(layout, { recursive: true })
        const layers = [await tarOf({ 'etc/version': Buffer.from(version) })]
        await writeLayout(layout, { layers })
        await writeArchive(layout, join(folder, `build/hello-${version}.tar`))
      }
      said = await type(blocksIn(GUIDE), folder)
    })
    after(() => rm(folder, { recursive: true, force: true }))

    it('gives a catalog that a node accepts which knows root 1 alone', async () => {
      const served = join(folder, 'site/catalog')
      const source: MetadataSource = {
        name: 'site',
        kind: 'origin',
        get: (name, maxBytes) => readFileBounded(join(served, name), maxBytes),
      }
      const node = await createCatalog({
        sources: () => [source],
        folder: join(folder, 'node'),
        root: await readFile(join(served, '1.root.json')),
        clock,
        log: silentLog,
      })
      await node.refresh()
      expect(node.status()).to.include({ freshness: 'fresh' })
      expect(node.status().notices).to.deep.equal([])
      const offers = node.offers().map(({ tier, app, channel }) => `${tier} ${app} ${channel}`)
      expect(offers.sort()).to.deep.equal([
        'core hello beta',
        'core hello stable',
        'registry hello stable',
      ])
    })

    it('gives a catalog that tuf-js accepts', async () => {
      const metadataDir = join(folder, 'tuf-js')
      await mkdir(metadataDir)
      const served = join(folder, 'site/catalog')
      await writeFile(join(metadataDir, 'root.json'), await readFile(join(served, '1.root.json')))
      const fetcher = new FolderFetcher(served)
      const updater = new Updater({ metadataDir, metadataBaseUrl: 'http://site.test/', fetcher })
      await updater.refresh()
      const target = await updater.getTargetInfo('apps/core.hello/stable')
      expect(target?.custom).to.deep.include({
        floor: 2,
        rollbackTo: { dataCompatible: true, from: [3], to: 2 },
      })
      expect(target?.custom).to.have.nested.property('yanked[0].action', 'replace')
    })

    it('showed a rollout, and replaced the timestamp key', async () => {
      const files = await published(join(folder, 'origin/public/catalog'))
      const percents = files('core').flatMap(({ targets }) => {
        const next = targets['apps/core.hello/stable']?.custom.next
        return next === undefined ? [] : [JSON.stringify(next.rollout.steps) + next.rollout.halted]
      })
      expect(new Set(percents).size, percents.join(' ')).to.be.at.least(3)
      expect(percents.some(each => each.endsWith('true'))).to.equal(true)
      const roots = files('root')
      const keys = roots.map(({ roles }) => roles.timestamp?.keyids[0])
      expect(new Set(keys).size).to.equal(4)
      expect(roots.at(-1)?.roles.root).to.include({ threshold: 2 })
    })

    it('ends with a doctor who finds nothing wrong', () => {
      expect(said).to.match(/ok {6}root: 2 of 3 keys/)
      expect(said).to.not.include('ERROR')
      expect(said).to.not.match(/^warning /m)
    })
  })
})

interface Document {
  readonly version: number
  readonly roles: Readonly<Record<string, { readonly keyids: readonly string[] }>>
  readonly targets: Readonly<Record<string, { readonly custom: Custom }>>
}

interface Custom {
  readonly next?: { readonly rollout: { readonly steps: unknown; readonly halted: boolean } }
}

/** Every version of a role that was published, in order. */
async function published(catalog: string): Promise<(role: string) => readonly Document[]> {
  const names = (await readdir(catalog)).filter(name => /^\d+\./.test(name))
  const files = await Promise.all(
    names.map(async name => {
      const { signed } = JSON.parse(await readFile(join(catalog, name), 'utf8'))
      return [name, signed as Document] as const
    }),
  )
  return role =>
    files
      .filter(([name]) => name.endsWith(`.${role}.json`))
      .map(([, document]) => document)
      .sort((a, b) => a.version - b.version)
}

class FolderFetcher extends BaseFetcher {
  readonly #folder: string
  constructor(folder: string) {
    super()
    this.#folder = folder
  }
  override async fetch(url: string) {
    const path = join(this.#folder, new URL(url).pathname.slice(1))
    const bytes = await readFileBounded(path, 2 ** 20)
    if (bytes === undefined) throw new DownloadHTTPError('not found', 404)
    return new Blob([Buffer.from(bytes)]).stream()
  }
}

function blocksIn(guide: string): readonly string[] {
  return [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
}

/** One shell types all of it, so that what one block exports is there in the next. */
async function type(blocks: readonly string[], folder: string): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'src/main.ts')}" "$@"\n`
  await writeFile(join(bin, 'archy'), program, { mode: 0o755 })
  const script = blocks.map((text, index) => `echo "=== block ${index + 1}"\n${text}`).join('')
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder }
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('close', resolve))
  let said = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) said += chunk
  const code = await ended
  expect(code, said.slice(said.lastIndexOf('=== block'))).to.equal(0)
  return said
}

/** Every `archy …` in a block or between backticks, as words; `#`, `|` and `&&` end a command. */
function commandsIn(guide: string): readonly (readonly string[])[] {
  const text = guide.replaceAll(/ \\\n\s*/g, ' ')
  const found = text.matchAll(/(?:^|[\s`/(])archy ((?:origin|app|node) [^`\n]*)/gm)
  return [...found].map(([, line = '']) => {
    const [command = ''] = line.split(/ #| \||&&/)
    return command.trim().split(/\s+/)
  })
}

/** Words that no command has, and options that the command does not take. */
function mistakesIn(words: readonly string[], commands: readonly Command[]): readonly string[] {
  let within = commands
  let command: Command | undefined
  let rest = [...words]
  while (within.length > 0 && rest.length > 0) {
    const found = within.find(each => each.name() === rest[0])
    if (found === undefined) return [`no such command: archy ${words.join(' ')}`]
    command = found
    within = found.commands
    rest = rest.slice(1)
  }
  const known = ['--help', ...(command?.options.map(({ long }) => long) ?? [])]
  return rest
    .filter(word => word.startsWith('--') && !known.includes(word))
    .map(word => `${word}: archy ${words.join(' ')}`)
}

function leavesOf(command: Command, before = ''): readonly string[] {
  const name = `${before}${command.name()}`
  if (command.commands.length === 0) return [name]
  return command.commands.flatMap(each => leavesOf(each, `${name} `))
}
