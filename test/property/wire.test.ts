/** The wire format: what is encoded comes back, and nothing a peer sends does more than fail with one code. */
import { expect } from 'chai'
import fc from 'fast-check'
import { digestFromBytes } from '../../src/core/digest.ts'
import { Bitfield } from '../../swarm/bitfield.ts'
import { SwarmError } from '../../swarm/errors.ts'
import { FrameSplitter } from '../../swarm/frames.ts'
import { FRAME_BYTES_MAX } from '../../swarm/limits.ts'
import { decodeMessage, encodeMessage, type Message, REJECT_REASONS } from '../../swarm/wire.ts'

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(digestFromBytes)
const number32 = fc.nat({ max: 2 ** 32 - 1 })
const id = number32

const have = fc
  .record({ digest, pieceCount: fc.integer({ min: 1, max: 3000 }), seed: fc.nat() })
  .chain(({ digest, pieceCount, seed }) => {
    const field = new Bitfield(pieceCount)
    for (let index = seed % 7; index < pieceCount; index += 1 + (seed % 5)) field.add(index)
    return fc.constantFrom<Message>(
      { kind: 'have', digest, pieceCount, holding: { kind: 'none' } },
      { kind: 'have', digest, pieceCount, holding: { kind: 'all' } },
      { kind: 'have', digest, pieceCount, holding: { kind: 'bitfield', bits: field.bytes } },
      {
        kind: 'have',
        digest,
        pieceCount,
        holding: { kind: 'pieces', indexes: [0, pieceCount - 1] },
      },
    )
  })

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    version: fc.nat({ max: 65535 }),
    requestsMax: fc.nat({ max: 65535 }),
  }),
  fc.record({
    kind: fc.constant('who-has' as const),
    digests: fc.array(digest, { maxLength: 256 }),
  }),
  have,
  fc.record({
    kind: fc.constant('request' as const),
    id,
    digest,
    offset: fc.nat({ max: 2 ** 48 - 1 }),
    length: fc.nat({ max: 4 * 1024 * 1024 }),
  }),
  fc.record({ kind: fc.constant('layer' as const), id, digest }),
  fc.record({
    kind: fc.constant('data' as const),
    id,
    offset: number32,
    bytes: fc.uint8Array({ maxLength: 2000 }),
  }),
  fc.record({
    kind: fc.constant('reject' as const),
    id,
    reason: fc.constantFrom(...REJECT_REASONS),
    retryAfterMs: number32,
  }),
  fc.record({ kind: fc.constant('cancel' as const), id }),
)

/** Byte arrays as hex, because a view into a buffer is not deeply equal to a plain array. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Uint8Array) return Buffer.from(item).toString('hex')
    return isBufferJson(item) ? Buffer.from(item.data).toString('hex') : item
  })
}

function isBufferJson(item: unknown): item is { data: number[] } {
  return typeof item === 'object' && item !== null && 'type' in item && item.type === 'Buffer'
}

describe('wire', () => {
  it('gives back every message, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.integer({ min: 1, max: 5000 }),
        (messages, cutBytes) => {
          const stream = Buffer.concat(messages.map(encodeMessage))
          const splitter = new FrameSplitter()
          const got: (Message | undefined)[] = []
          for (let at = 0; at < stream.byteLength; at += cutBytes) {
            for (const frame of splitter.push(stream.subarray(at, at + cutBytes))) {
              got.push(decodeMessage(frame))
            }
          }
          expect(comparable(got)).to.equal(comparable(messages))
          expect(splitter.pendingBytes).to.equal(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('answers any bytes with a message, with nothing, or with MESSAGE_MALFORMED', () => {
    const anyFrame = fc.tuple(fc.nat({ max: 12 }), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(anyFrame, ([kind, body]) => {
        try {
          decodeMessage(Buffer.concat([Buffer.from([kind]), body]))
        } catch (error) {
          expect(error).to.be.instanceOf(SwarmError).with.property('code', 'MESSAGE_MALFORMED')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a message that is cut short', () => {
    fc.assert(
      fc.property(
        message.filter(({ kind }) => kind !== 'data' && kind !== 'have'),
        fc.nat(),
        (whole, cut) => {
          const frame = encodeMessage(whole).subarray(4)
          const short = frame.subarray(0, 1 + (cut % Math.max(1, frame.byteLength - 1)))
          if (short.byteLength === frame.byteLength) return
          expect(() => decodeMessage(short)).to.throw(SwarmError)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('refuses a frame above the limit before it has arrived', () => {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(FRAME_BYTES_MAX + 1)
    expect(() => new FrameSplitter().push(header)).to.throw(SwarmError)
    header.writeUInt32BE(0)
    expect(() => new FrameSplitter().push(header)).to.throw(SwarmError)
  })

  it('ignores kinds and HELLO fields of later versions', () => {
    expect(decodeMessage(Uint8Array.of(200, 1, 2, 3))).to.equal(undefined)
    const hello = Buffer.concat([
      encodeMessage({ kind: 'hello', version: 9, requestsMax: 4 }).subarray(4),
      Buffer.from('later'),
    ])
    expect(decodeMessage(hello)).to.deep.equal({ kind: 'hello', version: 9, requestsMax: 4 })
  })

  it('refuses too many digests and a piece beyond the blob', () => {
    const whoHas = Buffer.from([2, 0x01, 0x01, ...new Uint8Array(257 * 32)])
    expect(() => decodeMessage(whoHas)).to.throw(SwarmError, '257')
    const have = Buffer.from([3, ...new Uint8Array(32), 0, 0, 0, 4, 3, 0, 0, 0, 4])
    expect(() => decodeMessage(have)).to.throw(SwarmError)
  })

  it('knows a bit field by its length and by the bits behind its end', () => {
    expect(Bitfield.parse(9, Uint8Array.of(0x80, 0x80))?.count).to.equal(2)
    expect(Bitfield.parse(9, Uint8Array.of(0x80, 0x40))).to.equal(undefined)
    expect(Bitfield.parse(9, Uint8Array.of(0x80))).to.equal(undefined)
  })
})
