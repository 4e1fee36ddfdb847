/** `archy origin release`: every verb as a publisher types it, and what the published catalog says after it. */
import { expect } from 'chai'
import { originFolder } from '../../catalog/publish/index.ts'
import { readLiveCatalog } from '../../catalog/publish/live-catalog.ts'
import { runOriginCommand } from '../support/publish/run-command.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('archy origin release', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
    await run('init', shop.origin, '--unencrypted')
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const run = async (...args: readonly string[]) => (await runOriginCommand(args)).out
  const release = (verb: string, ...args: readonly string[]) =>
    run('release', verb, shop.origin, ...args)
  const publish = () => run('publish', shop.origin)
  async function app(version: string): Promise<string> {
    return (await shop.app(version, { layers: [Buffer.from(`layer of ${version}`)] })).folder
  }
  async function published(channel = 'stable') {
    const live = await readLiveCatalog(originFolder(shop.origin))
    const core = live?.delegated.find(({ name }) => name === 'core')
    return core?.targets.targets.get(`apps/core.hello/${channel}`)?.custom as {
      release: { version: string; seq: number }
      next?: { version: string; rollout: { steps: number[][]; halted: boolean; salt: string } }
      older?: { version: string }[]
      floor?: number
      yanked?: { seq: number; action: string; reason: string }[]
      rollbackTo?: { from: number[]; to: number; dataCompatible: boolean }
    }
  }
  async function failure(attempt: Promise<unknown>) {
    const error = await attempt.then(
      () => expect.fail('it did not fail'),
      (reason: unknown) => reason as { code: string; message: string },
    )
    return `${error.code}: ${error.message}`
  }

  it('stages an app folder, widens, halts, resumes and completes', async () => {
    await release('add', await app('1'))
    await publish()
    const next = await release('next', 'hello', await app('2'), '--steps', '0:1,1d:100')
    expect(next).to.match(
      /^hello stable: 1 is the head; 2 \(draft\) goes to 1 % of the nodes, 100 % in/,
    )
    expect(next).to.match(/Next: archy origin publish .*\n$/)
    await publish()
    expect(await published()).to.have.nested.property('next.version', '2')
    await release('step', 'hello', '--percent', '50')
    await release('halt', 'hello')
    expect(await failure(release('step', 'hello', '--percent', '60'))).to.match(/^DECISION_REFUSED/)
    await publish()
    expect((await published()).next?.rollout).to.deep.include({ halted: true })
    await release('halt', 'hello', '--resume')
    await release('step', 'hello', '--complete')
    await publish()
    const done = await published()
    expect(done.release).to.deep.include({ seq: 2, version: '2' })
    expect(done.next).to.equal(undefined)
    expect(done.older?.map(({ version }) => version)).to.deep.equal(['1'])
  })

  it('yanks, goes back, and raises the floor', async () => {
    for (const version of ['1', '2', '3']) {
      await release('add', await app(version))
      await publish()
    }
    const reason = 'loses data'
    const yank = await release('yank', 'hello', '3', '--action', 'replace', '--reason', reason)
    expect(yank).to.match(/THE HEAD IS YANKED/)
    await release('rollback-to', 'hello', '2', '--data-incompatible')
    await release('floor', 'hello', '2')
    await publish()
    expect(await published()).to.deep.include({
      floor: 2,
      yanked: [{ seq: 3, severity: 'high', action: 'replace', reason }],
      rollbackTo: { from: [3], to: 2, dataCompatible: false },
    })
    expect(await failure(release('floor', 'hello', '1'))).to.match(/^DECISION_REFUSED.*never falls/)
    expect(await release('show', 'hello')).to.match(/yanked \(high, replace\): loses data/)
  })

  it('moves a release to another channel without a new number', async () => {
    const folder = await app('1')
    await release('add', folder, '--channel', 'beta')
    await release('add', folder)
    await publish()
    expect(await published('beta')).to.deep.equal(await published('stable'))
    const list = await release('list')
    expect(list).to.match(/^APP +CHANNEL +HEAD\nhello +beta +1\nhello +stable +1\n$/)
  })

  it('changes nothing when it fails, and says what is there instead', async () => {
    await release('add', await app('1'))
    const before = await release('list', '--json')
    const other = await shop.app('2', { id: 'other' })
    expect(await failure(release('next', 'hello', '9'))).to.match(/^RELEASE_UNKNOWN.*newest are 1/)
    expect(await failure(release('next', 'hello', other.folder))).to.match(/is the app other/)
    expect(await failure(release('halt', 'helo'))).to.match(/did you mean "hello"/)
    expect(await failure(release('next', 'hello', '1', '--steps', '1:1,0:2'))).to.match(
      /write steps/,
    )
    expect(await release('list', '--json')).to.equal(before)
  })
})
