import { expect } from 'chai'
import fc from 'fast-check'
import { parseDigest } from '../../../src/core/digest.ts'
import {
  decodeRelay,
  encodeRelay,
  type RelayMessage,
} from '../../../swarm/catalog-relay/messages.ts'
import { SwarmError } from '../../../swarm/errors.ts'

const DIGEST = parseDigest(`blake3:${'ab'.repeat(32)}`)
const bytes = (...values: number[]): Uint8Array => Buffer.from(values)

describe('messages of the catalog relay', () => {
  const messages: readonly RelayMessage[] = [
    { kind: 'head', root: 3, timestamp: 2 ** 40, content: 'cd'.repeat(32) },
    { kind: 'get', id: 7, maxBytes: 16_384, name: '12.pub-zab%2F.json' },
    { kind: 'get-digest', id: 8, maxBytes: 100, digest: DIGEST },
    { kind: 'file', id: 7, sizeBytes: 3, offset: 1, bytes: bytes(1, 2) },
    { kind: 'reject', id: 9, reason: 'not-found' },
    { kind: 'timestamp', bytes: bytes(1, 2, 3) },
    { kind: 'proof', a: bytes(1), b: bytes(2, 3) },
  ]
  for (const message of messages) {
    it(`are the same after the wire: ${message.kind}`, () => {
      const decoded = decodeRelay(encodeRelay(message).subarray(4))
      expect(JSON.stringify(decoded)).to.equal(JSON.stringify(message))
    })
  }

  it('have 44 bytes for a head', () => {
    const frame = encodeRelay(messages[0] as RelayMessage)
    expect(frame.length).to.equal(5 + 44)
  })

  it('of a kind that a later version has are ignored', () => {
    expect(decodeRelay(bytes(200, 1, 2, 3))).to.equal(undefined)
  })

  const wrong: Readonly<Record<string, Uint8Array>> = {
    'a head that is too short': bytes(1, 0, 0),
    'a name with a path in it': Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 1, ...Buffer.from('../x')]),
    'a name that is empty': bytes(2, 0, 0, 0, 1, 0, 0, 0, 1),
    'a name that is too long': Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 1, ...Buffer.alloc(513, 'a')]),
    'a bound above the largest file': bytes(2, 0, 0, 0, 1, 255, 255, 255, 255, 97),
    'a part beyond its file': bytes(4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2),
    'a reason that does not exist': bytes(5, 0, 0, 0, 1, 9),
    'a timestamp that is too large': Buffer.from([6, ...Buffer.alloc(16_385)]),
    'a proof that is cut off': bytes(7, 0, 0, 0, 9, 1),
    'nothing at all': bytes(),
  }
  for (const [what, frame] of Object.entries(wrong)) {
    it(`are refused when they hold ${what}`, () => {
      expect(() => decodeRelay(frame)).to.throw(SwarmError)
    })
  }

  it('never end in anything but a message or a refusal, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), frame => {
        try {
          decodeRelay(frame)
        } catch (error) {
          expect(error).to.be.instanceOf(SwarmError)
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 1000 },
    )
  })
})
