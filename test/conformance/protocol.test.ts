/** docs/protocol.md says what the program does: its examples are frames, its numbers are the limits. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { digestFromBytes } from '../../src/core/digest.ts'
import { decodeRelay, encodeRelay, type RelayMessage } from '../../swarm/catalog-relay/messages.ts'
import { fileBytesMax } from '../../swarm/catalog-relay/names.ts'
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
