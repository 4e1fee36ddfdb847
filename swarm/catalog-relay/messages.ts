/**
 * The messages of `/archipelago/<net>/catalog/1`, to bytes and back. Pure. Frames are as in the blob protocol: a 32-bit
 * length, one byte for the kind, then the body; all numbers are big-endian; unknown kinds are ignored.
 */
import { type Digest, digestBytes } from '../../src/core/digest.ts'
import {
  RELAY_CHUNK_BYTES,
  RELAY_FILE_BYTES_MAX,
  RELAY_NAME_BYTES_MAX,
  RELAY_TIMESTAMP_BYTES_MAX,
} from '../limits.ts'
import { MessageReader, malformed } from '../message-reader.ts'
import { REJECT_REASONS, type RejectReason } from '../wire.ts'
import { fileBytesMax } from './names.ts'

/** What a peer says its newest documents are: 44 bytes. `timestamp` is 0 without a catalog. */
export interface CatalogHead {
  readonly root: number
  readonly timestamp: number
  /** SHA-256 (hex) of the signed part of the timestamp. */
  readonly content: string
}

export type RelayMessage =
  | ({ readonly kind: 'head' } & CatalogHead)
  | { readonly kind: 'get'; readonly id: number; readonly maxBytes: number; readonly name: string }
  | {
      readonly kind: 'get-digest'
      readonly id: number
      readonly maxBytes: number
      readonly digest: Digest
    }
  | {
      readonly kind: 'file'
      readonly id: number
      readonly sizeBytes: number
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'reject'; readonly id: number; readonly reason: RejectReason }
  | { readonly kind: 'timestamp'; readonly bytes: Uint8Array }
  | { readonly kind: 'proof'; readonly a: Uint8Array; readonly b: Uint8Array }

const KINDS = {
  head: 1,
  get: 2,
  'get-digest': 3,
  file: 4,
  reject: 5,
  timestamp: 6,
  proof: 7,
} as const satisfies Record<RelayMessage['kind'], number>

const VERSION_BYTES = 6
const CONTENT_BYTES = 32
/** Versions grow by at most 10,000 at a time, so none that was accepted comes near. */
const VERSION_MAX = 2 ** 48 - 1

/** The whole frame, length included. */
export function encodeRelay(message: RelayMessage): Uint8Array {
  const body = bodyOf(message)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(1 + body.byteLength)
  head.writeUInt8(KINDS[message.kind], 4)
  return Buffer.concat([head, body])
}

function bodyOf(message: RelayMessage): Uint8Array {
  switch (message.kind) {
    case 'head': {
      const content = Buffer.from(message.content.padEnd(2 * CONTENT_BYTES, '0'), 'hex')
      return Buffer.concat([version(message.root), version(message.timestamp), content])
    }
    case 'get': {
      const name = Buffer.from(message.name, 'latin1')
      return Buffer.concat([u32(message.id), u32(message.maxBytes), name])
    }
    case 'get-digest':
      return Buffer.concat([u32(message.id), u32(message.maxBytes), digestBytes(message.digest)])
    case 'file': {
      const { id, sizeBytes, offset, bytes } = message
      return Buffer.concat([u32(id), u32(sizeBytes), u32(offset), bytes])
    }
    case 'reject':
      return Buffer.concat([u32(message.id), Buffer.from([REJECT_REASONS.indexOf(message.reason)])])
    case 'timestamp':
      return message.bytes
    case 'proof':
      return Buffer.concat([u32(message.a.byteLength), message.a, message.b])
  }
}

/**
 * Reads one frame without its length; `undefined` for a kind of a later version.
 * @throws SwarmError `MESSAGE_MALFORMED`
 */
export function decodeRelay(frame: Uint8Array): RelayMessage | undefined {
  const reader = new MessageReader(frame)
  switch (reader.number(1)) {
    case KINDS.head: {
      const root = reader.number(VERSION_BYTES)
      const timestamp = reader.number(VERSION_BYTES)
      const content = Buffer.from(reader.bytes(CONTENT_BYTES)).toString('hex')
      return { kind: 'head', root, timestamp, content }
    }
    case KINDS.get: {
      const [id, maxBytes] = [reader.number(4), reader.number(4, RELAY_FILE_BYTES_MAX)]
      const name = Buffer.from(reader.rest(RELAY_NAME_BYTES_MAX)).toString('latin1')
      if (fileBytesMax(name) === undefined) throw malformed('a file name that no catalog file has')
      return { kind: 'get', id, maxBytes, name }
    }
    case KINDS['get-digest']: {
      const [id, maxBytes] = [reader.number(4), reader.number(4, RELAY_FILE_BYTES_MAX)]
      const digest = reader.digest()
      reader.expectEnd()
      return { kind: 'get-digest', id, maxBytes, digest }
    }
    case KINDS.file: {
      const [id, sizeBytes] = [reader.number(4), reader.number(4, RELAY_FILE_BYTES_MAX)]
      const offset = reader.number(4, sizeBytes)
      return { kind: 'file', id, sizeBytes, offset, bytes: reader.rest(RELAY_CHUNK_BYTES) }
    }
    case KINDS.reject: {
      const id = reader.number(4)
      const reason = REJECT_REASONS[reader.number(1, REJECT_REASONS.length - 1)] ?? 'internal'
      reader.expectEnd()
      return { kind: 'reject', id, reason }
    }
    case KINDS.timestamp:
      return { kind: 'timestamp', bytes: reader.rest(RELAY_TIMESTAMP_BYTES_MAX) }
    case KINDS.proof: {
      const a = reader.bytes(reader.number(4, RELAY_TIMESTAMP_BYTES_MAX))
      return { kind: 'proof', a, b: reader.rest(RELAY_TIMESTAMP_BYTES_MAX) }
    }
    default:
      return undefined
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function version(value: number): Buffer {
  const bytes = Buffer.alloc(VERSION_BYTES)
  bytes.writeUIntBE(Math.min(value, VERSION_MAX), 0, VERSION_BYTES)
  return bytes
}
