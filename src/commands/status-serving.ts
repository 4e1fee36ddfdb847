/** What a node gives to its peers and under which limits, as text for people. Pure. */
import type { LimitInForce, Terms } from '../../swarm/index.ts'
import type { NodeStatus } from '../status.ts'
import { formatBytes } from './format.ts'

type Peer = NodeStatus['swarm']['peers'][number]

const FOUND: Readonly<Record<Peer['found'], string>> = {
  bootstrap: 'bootstrap',
  catalog: 'named by the catalog',
  remembered: 'remembered',
  mdns: 'found by mDNS',
  dht: 'found by DHT',
  exchange: 'named by a peer',
  inbound: 'came by itself',
}

/** One line: where the peer is and how it was found, whether it is served, and what limits it. */
export function formatPeer({ peerId, address, scope, found, terms }: Peer): string {
  const place = scope === 'relay' ? 'relayed' : scope.toUpperCase()
  return `${peerId}  ${address}  ${place}, ${FOUND[found]}, ${formatTerms(terms)}`
}

export function formatTerms({ serves, why, isExempt, upload, download }: Terms): string {
  const given = serves ? 'served' : `not served (${why})`
  if (isExempt) return `${given}, no limit: the LAN is exempt`
  const limits = [
    ['upload', upload],
    ['download', download],
  ] as const
  return [given, ...limits.map(([name, limit]) => `${name} ${formatLimit(limit)}`)].join(', ')
}

/** `2.1 MB/s (schedule)`: a limit always says who set it. */
export function formatLimit({ bytesPerSecond, setBy }: LimitInForce): string {
  if (bytesPerSecond === undefined) return setBy === 'configuration' ? 'free' : `free (${setBy})`
  return `${formatBytes(bytesPerSecond)}/s (${setBy})`
}

/** The limits in force, and for whom they are not. */
export function formatServing({
  limits,
  lan,
  wan,
}: Pick<NodeStatus['swarm']['serving'], 'limits' | 'lan' | 'wan'>): string {
  const rates = (['upload', 'download', 'origin'] as const).map(
    name => `${name} ${formatLimit(limits[name])}`,
  )
  const exempt = lan.isExempt ? ['peers of the LAN are exempt'] : []
  return [wan.serves || lan.serves ? wan.why : lan.why, ...rates, ...exempt].join(', ')
}

/** What a peer did wrong and how often, and what followed. */
export function formatMisbehaviour(
  misbehaviour: NodeStatus['swarm']['misbehaviour'][number],
): string {
  const { peerId, offences, verdict } = misbehaviour
  const counts = Object.entries(offences).map(([offence, count]) => `${offence} ×${count}`)
  return `${peerId}  ${counts.join(', ')}${verdict === 'none' ? '' : `: ${VERDICTS[verdict]}`}`
}

const VERDICTS = { 'cut off': 'cut off', ban: 'banned' } as const
