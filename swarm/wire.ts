/**
 * The messages of `/archipelago/<net>/blobs/1`, to bytes and back. Pure.
 * A frame is a 32-bit length, one byte for the kind, then the body; all numbers are big-endian. Unknown kinds, and bytes
 * behind the known part of HELLO, are ignored, so that later versions can add to both. DATA, kind 6, is read and written
 * without this form, because nobody should copy its bytes: `data-head.ts`, `frame-reader.ts`.
 */
import { type Digest, digestBytes } from '../src/core/digest.ts'
import { decodePeers, encodePeers, type PeersMessage } from './discovery/peers-message.ts'
import { PIECE_COUNT_MAX, REQUEST_BYTES_MAX, WHO_HAS_COUNT_MAX } from './limits.ts'
import { MessageReader, malformed } from './message-reader.ts'

export const WIRE_VERSION = 1

/** Why a request was not answered with data. Numbers only: text never leaves the node. */
export const REJECT_REASONS = ['limit', 'denied', 'not-found', 'malformed', 'internal'] as const
export type RejectReason = (typeof REJECT_REASONS)[number]

/** What a peer holds of one blob. `pieces` adds to what was said before, the others replace it. */
export type Holding =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'bitfield'; readonly bits: Uint8Array }
  | { readonly kind: 'pieces'; readonly indexes: readonly number[] }

export type Message =
  | { readonly kind: 'hello'; readonly version: number; readonly requestsMax: number }
  | { readonly kind: 'who-has'; readonly digests: readonly Digest[] }
  | {
      readonly kind: 'have'
      readonly digest: Digest
      readonly pieceCount: number
      readonly holding: Holding
    }
  | {
      readonly kind: 'request'
      readonly id: number
      readonly digest: Digest
      readonly offset: number
      readonly length: number
    }
  | { readonly kind: 'layer'; readonly id: number; readonly digest: Digest }
  | {
      readonly kind: 'reject'
      readonly id: number
      readonly reason: RejectReason
      readonly retryAfterMs: number
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | {
      readonly kind: 'bulk'
      /** At the host where the peer is reached already. */
      readonly port: number
      /** The receiver should connect now: the sender has something to ask and cannot connect itself. */
      readonly isWanted: boolean
      readonly lifetimeMs: number
      /** SHA-256 of the certificate in DER form. */
      readonly fingerprint: Uint8Array
      readonly token: Uint8Array
    }
  | PeersMessage

/** Questions, and answers without data: what goes over every carrier. The rest is for the libp2p stream. */
export type Exchange = Extract<Message, { kind: 'request' | 'layer' | 'reject' | 'cancel' }>

export function isExchange(message: Message): message is Exchange {
  return ['request', 'layer', 'reject', 'cancel'].includes(message.kind)
}

const KIND_NUMBERS = {
  hello: 1,
  'who-has': 2,
  have: 3,
  request: 4,
  layer: 5,
  reject: 7,
  cancel: 8,
  bulk: 9,
  peers: 10,
} as const satisfies Record<Message['kind'], number>

const HOLDING_NUMBERS = { none: 0, all: 1, bitfield: 2, pieces: 3 } as const satisfies Record<
  Holding['kind'],
  number
>

const HEADER_BYTES = 5

/** The lowest bit of the flags of BULK; the others are ignored. */
const BULK_WANTED = 1
const FINGERPRINT_BYTES = 32
export const TOKEN_BYTES = 32

/** The whole frame, length included. The caller keeps within the bounds; they are asserted by `decodeMessage`. */
export function encodeMessage(message: Message): Uint8Array {
  const body = encodeBody(message)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength)
  frame.writeUInt32BE(1 + body.byteLength, 0)
  frame.writeUInt8(KIND_NUMBERS[message.kind], 4)
  frame.set(body, HEADER_BYTES)
  return frame
}

function encodeBody(message: Message): Uint8Array {
  switch (message.kind) {
    case 'hello':
      return numbers([2, message.version], [2, message.requestsMax])
    case 'who-has':
      return Buffer.concat([
        numbers([2, message.digests.length]),
        ...message.digests.map(digest => digestBytes(digest)),
      ])
    case 'have':
      return Buffer.concat([
        digestBytes(message.digest),
        numbers([4, message.pieceCount], [1, HOLDING_NUMBERS[message.holding.kind]]),
        encodeHolding(message.holding),
      ])
    case 'request':
      return Buffer.concat([
        numbers([4, message.id]),
        digestBytes(message.digest),
        numbers([6, message.offset], [4, message.length]),
      ])
    case 'layer':
      return Buffer.concat([numbers([4, message.id]), digestBytes(message.digest)])
    case 'reject':
      return numbers(
        [4, message.id],
        [1, REJECT_REASONS.indexOf(message.reason)],
        [4, message.retryAfterMs],
      )
    case 'cancel':
      return numbers([4, message.id])
    case 'bulk':
      return Buffer.concat([
        numbers(
          [2, message.port],
          [1, message.isWanted ? BULK_WANTED : 0],
          [4, message.lifetimeMs],
        ),
        message.fingerprint,
        message.token,
      ])
    case 'peers':
      return encodePeers(message)
  }
}

function encodeHolding(holding: Holding): Uint8Array {
  if (holding.kind === 'bitfield') return holding.bits
  if (holding.kind === 'pieces') {
    return numbers(...holding.indexes.map((index): [number, number] => [4, index]))
  }
  return new Uint8Array(0)
}

/** `[width in bytes, value]` pairs, big-endian. */
function numbers(...fields: readonly [number, number][]): Buffer {
  const bytes = Buffer.allocUnsafe(fields.reduce((sum, [width]) => sum + width, 0))
  let at = 0
  for (const [width, value] of fields) at = bytes.writeUIntBE(value, at, width)
  return bytes
}

/**
 * Reads one frame without its length. `undefined`: a kind of a later version, to be ignored.
 * @throws SwarmError `MESSAGE_MALFORMED` when a known kind breaks its form or a bound.
 */
export function decodeMessage(frame: Uint8Array): Message | undefined {
  const reader = new MessageReader(frame)
  const kind = reader.number(1)
  if (kind === KIND_NUMBERS.hello) {
    return { kind: 'hello', version: reader.number(2), requestsMax: reader.number(2) }
  }
  const message = decodeKnown(kind, reader)
  if (message !== undefined) reader.expectEnd()
  return message
}

function decodeKnown(kind: number, reader: MessageReader): Message | undefined {
  switch (kind) {
    case KIND_NUMBERS['who-has']: {
      const count = reader.number(2, WHO_HAS_COUNT_MAX)
      return { kind: 'who-has', digests: Array.from({ length: count }, () => reader.digest()) }
    }
    case KIND_NUMBERS.have: {
      const digest = reader.digest()
      const pieceCount = reader.number(4, PIECE_COUNT_MAX)
      return { kind: 'have', digest, pieceCount, holding: decodeHolding(reader, pieceCount) }
    }
    case KIND_NUMBERS.request:
      return {
        kind: 'request',
        id: reader.number(4),
        digest: reader.digest(),
        offset: reader.number(6),
        length: reader.number(4, REQUEST_BYTES_MAX),
      }
    case KIND_NUMBERS.layer:
      return { kind: 'layer', id: reader.number(4), digest: reader.digest() }
    case KIND_NUMBERS.reject: {
      const id = reader.number(4)
      const reason = REJECT_REASONS[reader.number(1)] ?? 'internal'
      return { kind: 'reject', id, reason, retryAfterMs: reader.number(4) }
    }
    case KIND_NUMBERS.cancel:
      return { kind: 'cancel', id: reader.number(4) }
    case KIND_NUMBERS.bulk:
      return decodeBulk(reader)
    case KIND_NUMBERS.peers:
      return decodePeers(reader)
    default:
      return undefined
  }
}

function decodeBulk(reader: MessageReader): Message {
  const port = reader.number(2)
  if (port === 0) throw malformed('a bulk channel at port 0')
  return {
    kind: 'bulk',
    port,
    isWanted: (reader.number(1) & BULK_WANTED) !== 0,
    lifetimeMs: reader.number(4),
    fingerprint: reader.bytes(FINGERPRINT_BYTES),
    token: reader.bytes(TOKEN_BYTES),
  }
}

function decodeHolding(reader: MessageReader, pieceCount: number): Holding {
  const kind = reader.number(1)
  if (kind === HOLDING_NUMBERS.none) return { kind: 'none' }
  if (kind === HOLDING_NUMBERS.all) return { kind: 'all' }
  if (kind === HOLDING_NUMBERS.bitfield) {
    return { kind: 'bitfield', bits: reader.bytes(Math.ceil(pieceCount / 8)) }
  }
  if (kind !== HOLDING_NUMBERS.pieces) throw malformed(`unknown form ${kind} of HAVE`)
  const indexes: number[] = []
  while (!reader.isAtEnd) indexes.push(reader.number(4, Math.max(0, pieceCount - 1)))
  return { kind: 'pieces', indexes }
}
