import { expect } from 'chai'
import fc from 'fast-check'
import { acceptTargets } from '../../../../catalog/trust/accept.ts'
import { roleOfPublisher } from '../../../../catalog/trust/did-key.ts'
import {
  acceptFeed,
  checkFeedTerm,
  type FeedFloor,
  floorOf,
} from '../../../../catalog/trust/feed.ts'
import { keyIdOf } from '../../../../catalog/trust/key.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import { chainOf, makePublisher } from '../../../support/catalog/feed.ts'
import { appTarget, DAY_MS, makeKey, START_MS } from '../../../support/catalog/signed-origin.ts'

const publisher = makePublisher()
const { did, path } = publisher
function refusal(bytes: Uint8Array, floor?: FeedFloor): string | undefined {
  try {
    acceptFeed(did, bytes, floor)
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

describe('the file of a publisher, standing alone', () => {
  const first = acceptFeed(did, publisher.file(5))
  const floor = floorOf(first)

  it('is believed by nothing but its did:key', () => {
    expect([...first.targets.targets.keys()]).to.deep.equal([path])
    expect(refusal(publisher.file(1, { signer: makeKey() }))).to.equal('SIGNATURE_THRESHOLD')
    expect(() => acceptFeed(makePublisher().did, publisher.file(1))).to.throw(
      /the file of another publisher/,
    )
  })

  it('is the same bytes as the role that an origin delegates', () => {
    const bytes = publisher.file(5)
    const key = publisher.keys[0]!.publicKey
    const keys = { keys: new Map([[keyIdOf(key), key]]), threshold: 1 }
    const expected = { version: 5, length: bytes.length, hashes: new Map(), blake3: undefined }
    const role = acceptTargets(roleOfPublisher(did), keys, expected, undefined, bytes, {
      strict: true,
    })
    expect(role.content).to.equal(first.targets.content)
  })

  it('never goes back, and never says other things under one number', () => {
    expect(refusal(publisher.file(4), floor)).to.equal('VERSION_ROLLBACK')
    expect(refusal(publisher.file(5), floor)).to.equal(undefined)
    const other = { targets: { [path]: appTarget(9, '9.0.0') } }
    expect(refusal(publisher.file(5, other), floor)).to.equal('VERSION_REUSED')
    expect(refusal(publisher.file(6), floor)).to.equal(undefined)
  })

  it('moves to the key that was committed to, for nodes that knew it and for new ones', () => {
    const rotated = publisher.file(6, { rotated: 1 })
    expect(refusal(rotated, floor)).to.equal(undefined)
    expect(refusal(rotated)).to.equal(undefined)
    expect(floorOf(acceptFeed(did, rotated, floor)).commitments).to.have.length(2)
  })

  it('is free of the number that a thief of the old key signed', () => {
    const stolen = floorOf(acceptFeed(did, publisher.file(2 ** 53 - 1)))
    expect(refusal(publisher.file(6), stolen)).to.equal('VERSION_ROLLBACK')
    expect(refusal(publisher.file(6, { rotated: 1 }), stolen)).to.equal(undefined)
    const moved = floorOf(acceptFeed(did, publisher.file(6, { rotated: 1 }), stolen))
    expect(refusal(publisher.file(5, { rotated: 1 }), moved)).to.equal('VERSION_ROLLBACK')
  })

  it('is not signed by a key that was replaced', () => {
    const after = floorOf(acceptFeed(did, publisher.file(6, { rotated: 1 }), floor))
    expect(refusal(publisher.file(7), after)).to.equal('PUBLISHER_CHAIN')
    expect(refusal(publisher.file(7, { rotated: 1, signer: publisher.keys[0]! }))).to.equal(
      'SIGNATURE_THRESHOLD',
    )
  })

  it('cannot be taken over by a thief of the present key, who commits to a key of his own', () => {
    const own = publisher.keys[0]!
    const thief = chainOf(did, [own, makeKey()])
    const stolen = publisher.file(6, { rotations: thief })
    expect(refusal(stolen, floor)).to.equal('PUBLISHER_CHAIN')
  })

  const [commitment] = chainOf(did, publisher.keys.slice(0, 2))
  const chains = {
    'a commitment that nobody signed': [{ ...commitment!, sig: 'ab'.repeat(64) }],
    'a first key that is not its did': chainOf(did, [makeKey(), makeKey()]),
    'a second key that was not committed to': [
      commitment!,
      chainOf(did, [makeKey(), makeKey()])[0]!,
    ],
    'no chain at all beside a commitment': [],
  }
  for (const [what, rotations] of Object.entries(chains)) {
    it(`is refused with ${what}`, () => {
      const extra = { 'x-next': rotations.at(-1)?.next ?? commitment!.next }
      expect(
        refusal(
          publisher.file(6, {
            rotations: rotations.length > 0 ? rotations : [commitment!],
            extra: rotations.length > 0 ? extra : { 'x-rotations': [] },
          }),
        ),
      ).to.equal('PUBLISHER_CHAIN')
    })
  }

  it('speaks for its own paths alone, and delegates to nobody', () => {
    const foreign = { targets: { 'apps/core.notes/stable': appTarget(1, '1.0.0') } }
    expect(refusal(publisher.file(6, foreign))).to.equal('METADATA_MALFORMED')
    const key = makeKey()
    const delegations = {
      keys: { [key.keyId]: key.publicKey },
      roles: [
        { name: 'x', keyids: [key.keyId], threshold: 1, terminating: true, paths: ['apps/z*/*'] },
      ],
    }
    expect(refusal(publisher.file(6, { extra: { delegations } }))).to.equal('METADATA_MALFORMED')
  })

  it('is not believed for years', () => {
    const term = (days: number) =>
      checkFeedTerm(
        acceptFeed(did, publisher.file(6, { expiresMs: START_MS + days * DAY_MS })),
        START_MS,
      )
    expect(() => term(190)).to.not.throw()
    expect(() => term(191))
      .to.throw()
      .with.property('code', 'VALIDITY_TOO_LONG')
  })

  it('is never accepted with a byte changed', () => {
    const bytes = publisher.file(6, { rotated: 1 })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at]! + by) % 256
        expect(refusal(changed)).to.be.a('string')
      }),
      { numRuns: 300, interruptAfterTimeLimit: 1500 },
    )
  })
})
