/** The commands of a publisher, as `archy origin` runs them. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { originCommand } from '../../src/commands/origin.ts'
import { systemClock } from '../../src/core/clock.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('archy origin', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  /** Runs one command to its end. */
  async function run(...args: readonly string[]) {
    return runUntil(new AbortController().signal, () => undefined, args)
  }

  async function runUntil(
    stopped: AbortSignal,
    onOutput: (text: string) => void,
    args: readonly string[],
    isTty = false,
  ) {
    let out = ''
    let err = ''
    const io = {
      stdout(text: string) {
        out += text
        onOutput(out)
      },
      stderr(text: string) {
        err += text
      },
      isTty,
    }
    const command = originCommand({
      io,
      clock: systemClock,
      stopped,
      fail: () => undefined,
    }).exitOverride()
    for (const inner of command.commands) {
      inner.exitOverride().configureOutput({ writeErr: text => io.stderr(text) })
    }
    await command.parseAsync(args, { from: 'user' })
    return { out, err }
  }

  it('leads from nothing to a served catalog', async () => {
    const init = await run('init', shop.origin, '--unencrypted')
    expect(init.out).to.match(/Nodes trust it by its root: .*1\.root\.json/)
    const app = await shop.app('1')
    expect((await run('add', shop.origin, app.folder)).out).to.match(
      /^hello 1 \(release 1, .*\) is drafted for stable, .* new\. Next: archy origin publish/,
    )
    expect((await run('add', shop.origin, app.folder)).out).to.match(/already the head of stable/)
    expect((await run('publish', shop.origin)).out).to.match(/^Published catalog 2 with 1 entry;/)
    const stop = new AbortController()
    let address = ''
    const serving = runUntil(
      stop.signal,
      text => {
        address = text
        stop.abort()
      },
      ['serve', shop.origin, '--port', '0'],
    )
    await serving
    expect(address).to.match(/^serving http:\/\/127\.0\.0\.1:\d+\/\n$/)
  })

  it('answers while it serves, until it is told to stop', async () => {
    await run('init', shop.origin, '--unencrypted')
    const stop = new AbortController()
    const started = new EventTarget()
    let url = ''
    const onOutput = (text: string): void => {
      url = JSON.parse(text).url
      started.dispatchEvent(new Event('listening'))
    }
    const listening = once(started, 'listening')
    const args = ['serve', shop.origin, '--port', '0', '--json']
    const serving = runUntil(stop.signal, onOutput, args)
    await Promise.race([listening, serving])
    expect((await fetch(`${url}catalog/timestamp.json`)).status).to.equal(200)
    stop.abort()
    await serving
    expect(await fetch(`${url}catalog/timestamp.json`).catch(() => 'closed')).to.equal('closed')
  })

  it('prints one JSON object when asked to', async () => {
    const init = JSON.parse((await run('init', shop.origin, '--unencrypted', '--json')).out)
    expect(init.versions).to.include({ targets: 1, core: 1, snapshot: 1, timestamp: 1 })
    expect(JSON.parse(init.root).signed._type).to.equal('root')
    const app = await shop.app('1')
    const added = JSON.parse((await run('add', shop.origin, app.folder, '--json')).out)
    expect(added).to.include({ app: 'hello', version: '1', seq: 1, outcome: 'added' })
    const published = JSON.parse((await run('publish', shop.origin, '--json')).out)
    expect(published.entryCount).to.equal(1)
  })

  it('shows progress to a person, and clears it', async () => {
    await run('init', shop.origin, '--unencrypted')
    const app = await shop.app('1')
    const signal = new AbortController().signal
    const { err } = await runUntil(signal, () => undefined, ['add', shop.origin, app.folder], true)
    expect(err).to.match(/100 % of /)
    expect(err.endsWith('\r\u001b[2K')).to.equal(true)
  })

  it('fails with a code that says what is wrong', async () => {
    const app = await shop.app('1')
    await writeFile(join(app.folder, 'archy.yaml'), 'idd: hello\n')
    const codeOf = (attempt: Promise<unknown>) =>
      attempt.then(
        () => 'no failure',
        (error: unknown) => (error as { code?: string }).code,
      )
    expect(await codeOf(run('publish', shop.origin))).to.equal('ORIGIN_MISSING')
    await run('init', shop.origin, '--unencrypted')
    expect(await codeOf(run('add', shop.origin, app.folder))).to.equal('MANIFEST_INVALID')
    expect(await codeOf(run('serve', shop.origin, '--port', '99999'))).to.equal(
      'commander.invalidArgument',
    )
  })
})
