/** docs/protocol.md says what the program does: its examples are frames, its numbers are the limits. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { digestFromBytes } from '../../src/core/digest.ts'
import { decodeRelay, encodeRelay, type RelayMessage } from '../../swarm/catalog-relay/messages.ts'
import { fileBytesMax } from '../../swarm/catalog-relay/names.ts'
import { DATA_HEAD_BYTES, DATA_KIND, writeDataHead } from '../../swarm/data-head.ts'
import * as found from '../../swarm/discovery/limits.ts'
import type { PeersMessage } from '../../swarm/discovery/peers-message.ts'
import { serviceTag } from '../../swarm/libp2p/mdns.ts'
import { releaseKey } from '../../swarm/libp2p/release-key.ts'
import * as limits from '../../swarm/limits.ts'
import { decodeMessage, encodeMessage } from '../../swarm/wire.ts'

const BYTE_FIELDS = ['bytes', 'a', 'b']

/** Bytes and digests are written in hex. */
function messageOf(json: string): RelayMessage {
  return JSON.parse(json, (key, value: unknown) => {
    if (typeof value !== 'string') return value
    if (BYTE_FIELDS.includes(key)) return Buffer.from(value, 'hex')
    return key === 'digest' ? digestFromBytes(Buffer.from(value, 'hex')) : value
  })
}

function digestFromHex(key: string, value: unknown): unknown {
  return key === 'digest' ? digestFromBytes(Buffer.from(String(value), 'hex')) : value
}

function bytesAsHex(key: string, value: unknown): unknown {
  const isBytes = key === 'fingerprint' || key === 'token'
  if (!isBytes || typeof value !== 'object' || value === null || !('data' in value)) return value
  return Buffer.from(value.data as number[]).toString('hex')
}

/** The frame of an example of the blob protocol. */
function blobFrameOf(json: string): Buffer {
  const message = JSON.parse(json, (key, value: unknown) => {
    if (['bytes', 'fingerprint', 'token'].includes(key)) return Buffer.from(String(value), 'hex')
    return digestFromHex(key, value)
  })
  if (message.kind !== 'data') return Buffer.from(encodeMessage(message))
  const frame = Buffer.alloc(DATA_HEAD_BYTES + message.bytes.byteLength)
  writeDataHead(frame, message.id, message.offset, message.bytes.byteLength)
  frame.set(message.bytes, DATA_HEAD_BYTES)
  return frame
}

describe('docs/protocol.md', () => {
  let text: string
  before(async () => {
    text = await readFile('docs/protocol.md', 'utf8')
  })

  it('gives examples of every kind that are exactly the frames of this program', () => {
    const lines = /```relay\n([^`]+)```/.exec(text)?.[1]?.trim().split('\n') ?? []
    const kinds = new Set<number>()
    for (let at = 0; at < lines.length; at += 2) {
      const [json = '', hex = ''] = lines.slice(at, at + 2)
      const message = messageOf(json)
      const frame = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      expect(Buffer.from(encodeRelay(message)).toString('hex'), json).to.equal(
        frame.toString('hex'),
      )
      expect(JSON.stringify(decodeRelay(frame.subarray(4)))).to.equal(JSON.stringify(message))
      kinds.add(frame.readUInt8(4))
    }
    expect([...kinds].sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7])
  })

  it('gives examples of questions and answers of blobs that are exactly the frames of this program', () => {
    const lines = /```blobs\n([^`]+)```/.exec(text)?.[1]?.trim().split('\n') ?? []
    const kinds = new Set<number>()
    for (let at = 0; at < lines.length; at += 2) {
      const [json = '', hex = ''] = lines.slice(at, at + 2)
      const frame = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      expect(blobFrameOf(json).toString('hex'), json).to.equal(frame.toString('hex'))
      kinds.add(frame.readUInt8(4))
      if (frame.readUInt8(4) === DATA_KIND) continue
      expect(JSON.stringify(decodeMessage(frame.subarray(4)), bytesAsHex)).to.equal(
        JSON.stringify(JSON.parse(json, digestFromHex)),
      )
    }
    expect([...kinds].sort()).to.deep.equal([4, 5, 6, 7, 8, 9])
  })

  it('states the limits of blobs and of the bulk channel', () => {
    const section = text
      .slice(text.indexOf('## Blobs: questions and answers'))
      .replaceAll(/\s+/g, ' ')
    const number = (value: number) => value.toLocaleString('en')
    for (const words of [
      `length (4, 1 to ${number(limits.REQUEST_BYTES_MAX)})`,
      `1 to ${number(limits.DATA_BYTES_MAX)}, on a bulk channel to ${number(limits.BULK_DATA_BYTES_MAX)}`,
      `does not come within ${number(limits.BULK_PENDING_TIMEOUT_MS)} ms`,
      `has to come within ${number(limits.HELLO_TIMEOUT_MS)} ms`,
      `nothing moves for ${number(limits.BULK_IDLE_TIMEOUT_MS)} ms`,
      `nothing comes for ${number(limits.BULK_SILENCE_MS)} ms`,
      `after ${number(limits.BULK_BACKOFF_FIRST_MS)} ms, doubling up to ${number(limits.BULK_BACKOFF_MAX_MS)} ms`,
      `at most ${limits.BULK_PENDING_MAX} connections without a token, ${limits.BULK_PENDING_PER_HOST_MAX} of one host`,
      `at most ${limits.BULK_ACCEPTS_PER_SECOND} handshakes a second, ${limits.BULK_ACCEPTS_PER_HOST_SECOND} of one host`,
    ]) {
      expect(section).to.include(words)
    }
  })

  it('states the largest file of each name', () => {
    const stated = [...text.matchAll(/^\| `([^`]+\.json)`[^|]*\| ([\d,]+) *\|/gm)].map(row => [
      row[1],
      Number(row[2]?.replaceAll(',', '')),
    ])
    const bound = (name: string) =>
      fileBytesMax(name.replace('<version>', '12').replace('<role>', 'pub-z%2F1'))
    expect(stated).to.have.length(5)
    for (const [name, bytes] of stated) expect(bound(String(name)), String(name)).to.equal(bytes)
  })

  it('states every limit', () => {
    const stated = [...text.matchAll(/^\| ([^`|]+?) *\| ([\d,]+) *\|$/gm)].map(row =>
      Number(row[2]?.replaceAll(',', '')),
    )
    expect(stated).to.deep.equal([
      limits.FRAME_BYTES_MAX,
      limits.RELAY_CHUNK_BYTES,
      limits.RELAY_PUSH_BURST,
      limits.RELAY_PUSHES_PER_SECOND,
      limits.RELAY_SAY_BURST,
      limits.RELAY_REQUESTS_PER_PEER_MAX,
      limits.RELAY_GET_BURST,
      limits.RELAY_GETS_PER_SECOND,
      limits.RELAY_GET_BURST,
      limits.RELAY_GETS_PER_SECOND,
      limits.SERVE_STALL_TIMEOUT_MS,
      limits.RELAY_SERVE_BYTES_PER_PEER_MAX,
      limits.RELAY_SERVE_BYTES_TOTAL_MAX,
      limits.OUTBOX_BYTES_MAX,
      found.EXCHANGE_PEERS_MAX,
      found.EXCHANGE_ADDRESSES_MAX,
      found.EXCHANGE_TEXT_BYTES_MAX,
      found.EXCHANGE_ANSWERS_BURST,
      found.DIALS_PER_LOOKUP_MAX,
      found.PROVIDER_RECORDS_PER_PEER_MAX,
      found.PROVIDER_RECORDS_PER_KEY_MAX,
      found.PROVIDER_RECORDS_MAX,
      found.PEER_RECORD_BYTES_MAX,
      found.DIAL_ADDRESSES_PER_PEER_MAX,
      found.HANDSHAKES_PER_NETWORK_MAX,
      found.HANDSHAKES_MAX,
      found.HANDSHAKE_TIMEOUT_MS,
      found.SOCKETS_PER_SECOND_PER_HOST,
      found.CONNECTIONS_PER_NETWORK_MAX,
      found.STREAMS_PER_CONNECTION_MAX,
    ])
  })

  const linesOf = (name: string): readonly string[] =>
    new RegExp(`\`\`\`${name}\\n([^\`]+)\`\`\``).exec(text)?.[1]?.trim().split('\n') ?? []

  it('gives the key of a release, and the service of a network', () => {
    const [given = '', expected] = linesOf('key')
    const [network = '', hex = ''] = given.split(' ')
    const key = releaseKey(network, digestFromBytes(Buffer.from(hex, 'hex')))
    const multihash = Buffer.from(key.multihash.bytes).toString('hex')
    expect(`${key.toString()} ${multihash}`).to.equal(expected)
    const [name = '', service] = linesOf('mdns')
    expect(serviceTag(name)).to.equal(service)
  })

  it('gives examples of PEERS that are exactly the frames of this program', () => {
    const lines = linesOf('peers')
    expect(lines).to.have.length(6)
    for (let at = 0; at < lines.length; at += 2) {
      const [json = '', hex = ''] = lines.slice(at, at + 2)
      const message = JSON.parse(json, (name, value: unknown) =>
        name === 'release' ? digestFromBytes(Buffer.from(String(value), 'hex')) : value,
      ) as PeersMessage
      const frame = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      expect(Buffer.from(encodeMessage(message)).toString('hex'), json).to.equal(
        frame.toString('hex'),
      )
      expect(decodeMessage(frame.subarray(4))).to.deep.equal(message)
    }
  })
})
