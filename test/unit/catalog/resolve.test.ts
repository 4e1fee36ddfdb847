import { expect } from 'chai'
import fc from 'fast-check'
import type { AppOffer, CatalogEntry, Yank } from '../../../catalog/entry.ts'
import type { Installed, Resolution, ResolveInput } from '../../../catalog/resolution.ts'
import { resolveApp } from '../../../catalog/resolve.ts'
import { digestOf, parseSha256 } from '../../../src/core/digest.ts'

const DID = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const ALLOWED: ResolveInput['allows'] = { install: 'yes', update: true, reasons: [] }

function entryOf(seq: number, publisher = 'core', channel = 'stable'): CatalogEntry {
  const manifest = {
    blake3: digestOf(Buffer.from(`${publisher} ${seq}`)),
    sha256: parseSha256(`sha256:${'ab'.repeat(32)}`),
    size: 100,
    mediaType: 'application/json',
  }
  return { publisher, app: 'notes', channel, seq, version: `${seq}.0.0`, manifest, totalSize: 1 }
}
function offerOf(head: number, changed: Partial<AppOffer> = {}): AppOffer {
  return {
    publisher: 'core',
    app: 'notes',
    channel: 'stable',
    role: 'core',
    tier: 'core',
    did: undefined,
    expiresMs: undefined,
    head: entryOf(head),
    next: undefined,
    older: [],
    floor: 0,
    yanked: [],
    rollbackTo: undefined,
    standing: 'current',
    ...changed,
  }
}
function installedOf(seq: number, publisher = 'core'): Installed {
  const { version, manifest } = entryOf(seq, publisher)
  return { publisher, seq, version, manifest: manifest.blake3 }
}
function resolve(changed: Partial<ResolveInput>): Resolution {
  return resolveApp({
    name: 'notes',
    wish: { channel: 'stable' },
    offer: offerOf(3),
    siblings: [],
    local: undefined,
    installed: undefined,
    allows: ALLOWED,
    seed: Buffer.alloc(32),
    nowMs: Date.UTC(2026, 11, 1),
    ...changed,
  })
}
/** `install 3`, `keep`, `none CODE`. */
function shown({ choice }: Resolution): string {
  if (choice.kind === 'install') return `install ${choice.entry.seq}`
  return choice.kind === 'none' ? `none ${choice.code}` : 'keep'
}
const yank = (seq: number, action: Yank['action']): Yank => ({
  seq,
  severity: 'critical',
  action,
  reason: 'data loss',
})
const staged = (seq: number, percent: number, halted = false): Partial<AppOffer> => ({
  next: {
    entry: entryOf(seq),
    rollout: { salt: 's', startMs: 0, steps: [[0, percent]], halted },
  },
})

describe('which release of an app runs', () => {
  const cases: Readonly<Record<string, readonly [Partial<ResolveInput>, string]>> = {
    'the head, on a node that has none': [{}, 'install 3'],
    'what is installed, when that is the head': [{ installed: installedOf(3) }, 'keep'],
    'the head, over an older one': [{ installed: installedOf(2) }, 'install 3'],
    'what is installed, over an older head': [{ installed: installedOf(4) }, 'keep'],
    'the staged release, where it has arrived': [
      { offer: offerOf(3, staged(4, 100)) },
      'install 4',
    ],
    'the head, where it has not': [{ offer: offerOf(3, staged(4, 0)) }, 'install 3'],
    'the head, while the rollout is halted': [
      { offer: offerOf(3, staged(4, 100, true)) },
      'install 3',
    ],
    'the staged release, where it arrived before a halt': [
      { offer: offerOf(3, staged(4, 100, true)), installed: installedOf(4) },
      'keep',
    ],
    'nothing that was withdrawn': [
      { offer: offerOf(3, { yanked: [yank(3, 'warn')] }) },
      'none RELEASE_WITHDRAWN',
    ],
    'an older one that may run, when the head was withdrawn': [
      { offer: offerOf(3, { yanked: [yank(3, 'warn')], older: [entryOf(1), entryOf(2)] }) },
      'install 2',
    ],
    'the head, instead of a staged release that was withdrawn': [
      { offer: offerOf(3, { ...staged(4, 100), yanked: [yank(4, 'warn')] }) },
      'install 3',
    ],
    'nothing below the floor': [{ offer: offerOf(3, { floor: 4 }) }, 'none RELEASE_WITHDRAWN'],
    'the head at the floor': [{ offer: offerOf(3, { floor: 3 }) }, 'install 3'],
    'the head, back from a release, when its publisher signed that': [
      {
        offer: offerOf(3, { rollbackTo: { from: [4], to: 3, dataCompatible: true } }),
        installed: installedOf(4),
      },
      'install 3',
    ],
    'what is installed, when the signed way back is from another release': [
      {
        offer: offerOf(3, { rollbackTo: { from: [5], to: 3, dataCompatible: true } }),
        installed: installedOf(4),
      },
      'keep',
    ],
    'what is installed, when its data would not survive the way back': [
      {
        offer: offerOf(3, { rollbackTo: { from: [4], to: 3, dataCompatible: false } }),
        installed: installedOf(4),
      },
      'keep',
    ],
    'nothing of an unknown app': [{ offer: 'the catalog has no app "notes"' }, 'none APP_UNKNOWN'],
    'what is installed, when the catalog no longer lists it': [
      { offer: 'gone', installed: installedOf(3) },
      'keep',
    ],
    'the manifest on this disk, when the catalog has no such app': [
      { offer: 'gone', local: entryOf(0, 'local') },
      'install 0',
    ],
    'the changed manifest on this disk, over the one from there before': [
      { offer: 'gone', local: entryOf(0, 'local'), installed: installedOf(1, 'local') },
      'install 0',
    ],
    'what came from this disk, while its manifest is the same': [
      { offer: 'gone', local: entryOf(0, 'local'), installed: installedOf(0, 'local') },
      'keep',
    ],
    'what is installed from the catalog, over a manifest on this disk': [
      { offer: 'gone', local: entryOf(0, 'local'), installed: installedOf(3) },
      'keep',
    ],
    'nothing from this disk, when the catalog has the app in another channel': [
      { offer: 'not in beta', local: entryOf(0, 'local'), siblings: [offerOf(3)] },
      'none APP_UNKNOWN',
    ],
    'nothing from this disk, when the owner pinned another version': [
      {
        offer: 'gone',
        local: entryOf(0, 'local'),
        wish: { channel: 'stable', pin: '9.0.0' },
      },
      'none APP_UNKNOWN',
    ],
    'the manifest of the catalog over the one on this disk': [
      { local: entryOf(0, 'local') },
      'install 3',
    ],
    'the release of the catalog over what came from this disk': [
      { installed: installedOf(9, 'local') },
      'install 3',
    ],
    'nothing under an id that another publisher has here': [
      { installed: installedOf(1, 'zabc') },
      'none APP_ID_TAKEN',
    ],
    'nothing under an id whose data another publisher left here': [
      { retainedBy: 'zabc' },
      'none APP_ID_TAKEN',
    ],
    'the head again, where it left its own data': [{ retainedBy: 'core' }, 'install 3'],
    "nothing from this disk over data that the catalog's app left": [
      { offer: 'gone', local: entryOf(0, 'local'), retainedBy: 'core' },
      'none APP_UNKNOWN',
    ],
    'nothing of a stranger without consent': [
      { offer: offerOf(3, { tier: 'feed', did: DID }) },
      'none CONSENT_REQUIRED',
    ],
    'the release of a stranger whom the owner trusts': [
      { offer: offerOf(3, { tier: 'feed', did: DID }), wish: { channel: 'stable', trusts: DID } },
      'install 3',
    ],
    'nothing of a stranger other than the trusted one': [
      {
        offer: offerOf(3, { tier: 'feed', did: DID }),
        wish: { channel: 'stable', trusts: `${DID}x` },
      },
      'none CONSENT_REQUIRED',
    ],
    'what is installed, when its origin vouches for its publisher no more': [
      { offer: offerOf(3, { tier: 'feed', did: DID }), installed: installedOf(2) },
      'keep',
    ],
    'nothing new of a publisher that was revoked': [
      { offer: offerOf(3, { standing: 'revoked' }) },
      'none PUBLISHER_REVOKED',
    ],
    'what is installed of a publisher that was revoked': [
      { offer: offerOf(3, { standing: 'revoked' }), installed: installedOf(2) },
      'keep',
    ],
    'what is installed of a publisher whose list is expired': [
      { offer: offerOf(3, { standing: 'stale' }), installed: installedOf(2) },
      'keep',
    ],
    'nothing new from a catalog that is too old': [
      { allows: { install: 'accept-stale', update: false, reasons: ['expired'] } },
      'none CATALOG_NOT_CURRENT',
    ],
    'nothing new while the catalog is forked': [
      { allows: { install: 'no', update: false, reasons: ['forked'] } },
      'none CATALOG_NOT_CURRENT',
    ],
    'a first install from a stale catalog': [
      { allows: { install: 'notice', update: false, reasons: ['stale'] } },
      'install 3',
    ],
    'no update from a stale catalog': [
      {
        allows: { install: 'notice', update: false, reasons: ['stale'] },
        installed: installedOf(2),
      },
      'keep',
    ],
  }
  for (const [what, [input, expected]] of Object.entries(cases)) {
    it(`is ${what}`, () => expect(shown(resolve(input))).to.equal(expected))
  }

  describe('with a pin', () => {
    const pin = (version: string) => ({ wish: { channel: 'stable', pin: version } })
    const older = { older: [entryOf(2), entryOf(1)] }
    const pinned: typeof cases = {
      'an older release that the catalog still lists': [
        { ...pin('2.0.0'), offer: offerOf(3, older) },
        'install 2',
      ],
      'what is installed, although there is a newer one': [
        { ...pin('2.0.0'), installed: installedOf(2) },
        'keep',
      ],
      'a release of another channel': [
        {
          ...pin('5.0.0'),
          siblings: [offerOf(5, { channel: 'beta', head: entryOf(5, 'core', 'beta') })],
        },
        'install 5',
      ],
      'a staged release before its time': [
        { ...pin('4.0.0'), offer: offerOf(3, staged(4, 0)) },
        'install 4',
      ],
      'nothing that the catalog does not list': [pin('7.0.0'), 'none PIN_UNAVAILABLE'],
      'nothing below the floor': [
        { ...pin('1.0.0'), offer: offerOf(3, { ...older, floor: 2 }) },
        'none PIN_UNAVAILABLE',
      ],
      'nothing that was withdrawn': [
        { ...pin('2.0.0'), offer: offerOf(3, { ...older, yanked: [yank(2, 'stop-new')] }) },
        'none PIN_UNAVAILABLE',
      ],
      'nothing older than what is installed': [
        { ...pin('2.0.0'), offer: offerOf(3, older), installed: installedOf(3) },
        'keep',
      ],
      'the withdrawn release that runs, while its publisher only warns': [
        {
          ...pin('2.0.0'),
          offer: offerOf(3, { yanked: [yank(2, 'warn')] }),
          installed: installedOf(2),
        },
        'keep',
      ],
      'the head, when the publisher replaces the pinned release': [
        {
          ...pin('2.0.0'),
          offer: offerOf(3, { yanked: [yank(2, 'replace')] }),
          installed: installedOf(2),
        },
        'install 3',
      ],
      'what is installed, when the pinned version is gone': [
        { ...pin('1.5.0'), installed: installedOf(2) },
        'keep',
      ],
    }
    for (const [what, [input, expected]] of Object.entries(pinned)) {
      it(`is ${what}`, () => expect(shown(resolve(input))).to.equal(expected))
    }
  })

  it('says who won and why the others did not', () => {
    const { considered } = resolve({
      offer: offerOf(3, staged(4, 0)),
      local: entryOf(0, 'local'),
      installed: installedOf(2),
    })
    expect(considered.map(({ from, won }) => `${from} ${won}`)).to.deep.equal([
      'head true',
      'local false',
      'next false',
      'installed false',
    ])
    expect(considered.every(({ why }) => why.length > 10)).to.equal(true)
  })

  it('tells the owner of withdrawn releases, floors and publishers of what runs', () => {
    const { notices } = resolve({
      offer: offerOf(2, { yanked: [yank(2, 'warn')], floor: 3, standing: 'revoked' }),
      installed: installedOf(2),
    })
    expect(notices.join('; ')).to.match(
      /withdrawn by its publisher.*older than.*withdrew the publisher/,
    )
  })

  it('holds for any input: nothing withdrawn or below the floor comes, nothing goes back unsigned', () => {
    const number = fc.integer({ min: 1, max: 6 })
    const actions = fc.constantFrom<Yank['action']>('warn', 'stop-new', 'replace')
    const offers = fc.record({
      head: number.map(seq => entryOf(seq)),
      next: fc.option(
        fc
          .tuple(number, fc.integer({ min: 0, max: 100 }))
          .map(([seq, percent]) => staged(seq, percent).next),
        { nil: undefined },
      ),
      older: fc.array(
        number.map(seq => entryOf(seq)),
        { maxLength: 3 },
      ),
      floor: fc.integer({ min: 0, max: 6 }),
      yanked: fc.array(
        fc.tuple(number, actions).map(([seq, action]) => yank(seq, action)),
        { maxLength: 3 },
      ),
      rollbackTo: fc.option(
        fc.record({ from: fc.array(number), to: number, dataCompatible: fc.boolean() }),
        { nil: undefined },
      ),
      standing: fc.constantFrom<AppOffer['standing']>('current', 'kept', 'stale', 'revoked'),
    })
    const inputs = fc.record({
      offer: offers.map(offer => offerOf(1, offer)),
      installed: fc.option(
        number.map(seq => installedOf(seq)),
        { nil: undefined },
      ),
      pin: fc.option(
        number.map(seq => `${seq}.0.0`),
        { nil: undefined },
      ),
      allows: fc.record({
        install: fc.constantFrom<ResolveInput['allows']['install']>(
          'yes',
          'notice',
          'accept-stale',
          'no',
        ),
        update: fc.boolean(),
        reasons: fc.constant([]),
      }),
      seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    })
    fc.assert(
      fc.property(inputs, ({ pin, ...input }) => {
        const whole = { ...input, wish: { channel: 'stable', pin } }
        const { choice, considered } = resolve(whole)
        expect(resolve(whole).choice).to.deep.equal(choice)
        const winners = considered.filter(({ won }) => won)
        expect(winners).to.have.length(choice.kind === 'none' ? 0 : 1)
        if (choice.kind !== 'install') return
        const { seq } = choice.entry
        const { offer, installed, allows } = input
        expect(seq).to.be.at.least(offer.floor)
        expect(offer.yanked.map(each => each.seq)).to.not.include(seq)
        if (installed === undefined) expect(allows.install).to.be.oneOf(['yes', 'notice'])
        else expect(allows.update).to.equal(true)
        if (installed === undefined || seq >= installed.seq) return
        expect(choice.stepsBackFrom).to.equal(installed.seq)
        expect(offer.rollbackTo?.from).to.include(installed.seq)
        expect(offer.rollbackTo).to.include({ to: seq, dataCompatible: true })
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 1500 },
    )
  })
})
