/** The body of PEERS, kind 10 of the blob protocol, to bytes and back. Pure. */
import { type Digest, digestBytes } from '../../src/core/digest.ts'
import { type MessageReader, malformed } from '../message-reader.ts'
import type { FoundPeer } from '../network.ts'
import { EXCHANGE_ADDRESSES_MAX, EXCHANGE_PEERS_MAX, EXCHANGE_TEXT_BYTES_MAX } from './limits.ts'

/** Who else holds or fetches a release: a question, or with `peers` the answer to one. */
export interface PeersMessage {
  readonly kind: 'peers'
  readonly release: Digest
  readonly peers?: readonly FoundPeer[]
}

const ASK = 0
const TELL = 1

export function encodePeers({ release, peers }: PeersMessage): Uint8Array {
  const entries = (peers ?? []).flatMap(({ peerId, addresses }) => [
    encodeText(peerId),
    Buffer.from([addresses.length]),
    ...addresses.map(encodeText),
  ])
  return Buffer.concat([
    digestBytes(release),
    Buffer.from([peers === undefined ? ASK : TELL]),
    ...entries,
  ])
}

function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.byteLength]), bytes])
}

/** @throws SwarmError `MESSAGE_MALFORMED` */
export function decodePeers(reader: MessageReader): PeersMessage {
  const release = reader.digest()
  if (reader.number(1, TELL) === ASK) return { kind: 'peers', release }
  const peers: FoundPeer[] = []
  while (!reader.isAtEnd) {
    if (peers.length === EXCHANGE_PEERS_MAX) throw malformed('too many peers in one answer')
    const peerId = decodeText(reader)
    const count = reader.number(1, EXCHANGE_ADDRESSES_MAX)
    peers.push({ peerId, addresses: Array.from({ length: count }, () => decodeText(reader)) })
  }
  return { kind: 'peers', release, peers }
}

/** Printable ASCII, as peer ids and multiaddrs are. */
function decodeText(reader: MessageReader): string {
  const text = Buffer.from(reader.bytes(reader.number(1, EXCHANGE_TEXT_BYTES_MAX))).toString(
    'latin1',
  )
  if (!/^[!-~]+$/.test(text)) throw malformed('a peer id or address that is no text')
  return text
}
