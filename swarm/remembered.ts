/** Peers that gave verified bytes, with their addresses, so that a node finds its network again without any bootstrap. */
import { join } from 'node:path'
import type { Log } from '../src/core/log.ts'
import { REMEMBERED_PEERS_MAX } from './discovery/limits.ts'
import type { FoundPeer } from './network.ts'
import { entriesOf, openStateFile } from './state-file.ts'

export interface RememberedPeers {
  list(): readonly FoundPeer[]
  /** Puts the peer first; the one that was longest without use is dropped. */
  note(peer: FoundPeer): void
  forget(peerId: string): void
  flush(): Promise<void>
}

const ADDRESSES_PER_PEER_MAX = 8

export async function openRememberedPeers(log: Log, folder: string): Promise<RememberedPeers> {
  const file = await openStateFile(log, join(folder, 'peers.json'), parsePeers)
  let peers = file.initial
  return {
    list: () => peers,
    note({ peerId, addresses }) {
      const kept = { peerId, addresses: addresses.slice(0, ADDRESSES_PER_PEER_MAX) }
      const others = peers.filter(peer => peer.peerId !== peerId)
      peers = [kept, ...others].slice(0, REMEMBERED_PEERS_MAX)
      file.save(peers)
    },
    forget(peerId) {
      peers = peers.filter(peer => peer.peerId !== peerId)
      file.save(peers)
    },
    flush: () => file.flush(),
  }
}

function parsePeers(content: unknown): readonly FoundPeer[] {
  if (!Array.isArray(content)) return []
  return content.slice(0, REMEMBERED_PEERS_MAX).flatMap((entry: unknown) => {
    const fields = new Map(entriesOf(entry))
    const peerId = fields.get('peerId')
    const addresses = fields.get('addresses')
    if (typeof peerId !== 'string' || !Array.isArray(addresses)) return []
    return [{ peerId, addresses: addresses.filter(address => typeof address === 'string') }]
  })
}
