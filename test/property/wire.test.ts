/** The wire format: what is encoded comes back, and nothing a peer sends does more than fail with one code. */
import { expect } from 'chai'
import fc from 'fast-check'
import { digestFromBytes } from '../../src/core/digest.ts'
import { Bitfield } from '../../swarm/bitfield.ts'
import { DATA_HEAD_BYTES, writeDataHead } from '../../swarm/data-head.ts'
import { SwarmError } from '../../swarm/errors.ts'
import { FrameReader } from '../../swarm/frame-reader.ts'
import { FrameSplitter } from '../../swarm/frames.ts'
import { DATA_BYTES_MAX, FRAME_BYTES_MAX } from '../../swarm/limits.ts'
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

interface Data {
  readonly kind: 'data'
  readonly id: number
  /** From the start of the answer, not of the blob. */
  readonly offset: number
  readonly bytes: Uint8Array
}

const data: fc.Arbitrary<Data> = fc.record({
  kind: fc.constant('data' as const),
  id,
  offset: number32,
  bytes: fc.uint8Array({ minLength: 1, maxLength: 2000 }),
})

function frameOf(item: Message | Data): Uint8Array {
  if (item.kind !== 'data') return encodeMessage(item)
  const frame = Buffer.alloc(DATA_HEAD_BYTES + item.bytes.byteLength)
  writeDataHead(frame, item.id, item.offset, item.bytes.byteLength)
  frame.set(item.bytes, DATA_HEAD_BYTES)
  return frame
}

/** A reader that keeps what it read; the memory for data is given out a little at a time. */
function readInto(got: unknown[], roomBytes = 700): FrameReader {
  return new FrameReader(
    {
      onFrame: frame => got.push(decodeMessage(frame)),
      onData(id, offset, length) {
        const bytes = Buffer.alloc(length + roomBytes)
        let filled = 0
        return {
          room: () => bytes.subarray(filled, filled + roomBytes),
          note: count => {
            filled += count
          },
          end: () => got.push({ kind: 'data', id, offset, bytes: bytes.subarray(0, filled) }),
        }
      },
    },
    DATA_BYTES_MAX,
  )
}

describe('wire', () => {
  it('gives back every message, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, data), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5000 }),
        (messages, cutBytes) => {
          const stream = Buffer.concat(messages.map(frameOf))
          const got: unknown[] = []
          const reader = readInto(got)
          for (let at = 0; at < stream.byteLength; at += cutBytes) {
            reader.push(stream.subarray(at, at + cutBytes))
          }
          expect(comparable(got)).to.equal(comparable(messages))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('cuts a stream into the same frames when they are read whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, data), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5000 }),
        (messages, cutBytes) => {
          const stream = Buffer.concat(messages.map(frameOf))
          const splitter = new FrameSplitter()
          const got: Uint8Array[] = []
          for (let at = 0; at < stream.byteLength; at += cutBytes) {
            got.push(...splitter.push(stream.subarray(at, at + cutBytes)))
          }
          const frames = messages.map(item => frameOf(item).subarray(4))
          expect(comparable(got)).to.equal(comparable(frames))
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
        message.filter(({ kind }) => kind !== 'have'),
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
    for (const [length, kind] of [
      [FRAME_BYTES_MAX + 1, 2],
      [0, 2],
      [0, 6],
    ] as const) {
      const head = Buffer.from([0, 0, 0, 0, kind])
      head.writeUInt32BE(length)
      expect(() => readInto([]).push(head), `${length} of ${kind}`).to.throw(SwarmError)
    }
  })

  it('refuses DATA without bytes, and above the limit of its channel', () => {
    for (const length of [0, DATA_BYTES_MAX + 1]) {
      const head = Buffer.alloc(DATA_HEAD_BYTES)
      writeDataHead(head, 1, 0, length)
      expect(() => readInto([]).push(head), `${length}`).to.throw(SwarmError)
    }
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
