/** Where an address leads: which links count as the home's own, and what may be dialled on hearsay. Pure. */
import { BlockList, isIP } from 'node:net'

/** How a peer is connected: inside the home, over the Internet, or through another peer that passes the bytes on. */
export type Scope = 'lan' | 'wan' | 'relay'

/**
 * What a host is. `shared` is the range that providers put many customers in; `name` is one that a resolver would have to
 * be asked for; `nowhere` is no place for a peer: unspecified, multicast, reserved, or a cloud's metadata service.
 */
export type Reach = 'loopback' | 'link' | 'private' | 'shared' | 'public' | 'name' | 'nowhere'

/** `[address, bits]` of each range; the first that contains a host says what it is. IPv4 in IPv6 counts as IPv4. */
const RANGES: readonly (readonly [Reach, readonly (readonly [string, number])[]])[] = [
  ['nowhere', range('169.254.169.254/32 169.254.170.2/32 fd00:ec2::254/128 168.63.129.16/32')],
  ['loopback', range('127.0.0.0/8 ::1/128')],
  ['link', range('169.254.0.0/16 fe80::/10')],
  ['private', range('10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7')],
  ['shared', range('100.64.0.0/10')],
  ['nowhere', range('0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24')],
  ['nowhere', range('203.0.113.0/24 224.0.0.0/3 ::/128 100::/64 2001:db8::/32 ff00::/8')],
]

function range(text: string): readonly (readonly [string, number])[] {
  return text.split(' ').map(entry => {
    const [address = '', bits] = entry.split('/')
    return [address, Number(bits)]
  })
}

const LISTS = RANGES.map(([reach, ranges]): readonly [Reach, BlockList] => {
  const list = new BlockList()
  for (const [address, bits] of ranges) list.addSubnet(address, bits, familyOf(address))
  return [reach, list]
})

function familyOf(host: string): 'ipv4' | 'ipv6' {
  return host.includes(':') ? 'ipv6' : 'ipv4'
}

/** IPv6 addresses that carry an IPv4 one, in their shortest form: mapped, NAT64 and 6to4. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/
const NAT64 = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/
const SIX_TO_FOUR = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/

/** Of an IP address or a host name. */
export function reachOf(host: string): Reach {
  if (isIP(host) === 0) return 'name'
  const inner = embeddedV4(host)
  if (inner !== undefined) return reachOf(inner)
  const found = LISTS.find(([, list]) => list.check(host.split('%')[0] ?? '', familyOf(host)))
  return found?.[0] ?? 'public'
}

function embeddedV4(host: string): string | undefined {
  if (!host.includes(':')) return undefined
  const shortest = shortestOf(host)
  const found = MAPPED.exec(shortest) ?? NAT64.exec(shortest) ?? SIX_TO_FOUR.exec(shortest)
  return found === null ? undefined : v4Of(found[1] ?? '0', found[2] ?? '0')
}

/** RFC 5952, without a zone. */
function shortestOf(host: string): string {
  return new URL(`http://[${host.split('%')[0]}]`).hostname.slice(1, -1)
}

function v4Of(high: string, low: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(Number.parseInt(high, 16), 0)
  bytes.writeUInt16BE(Number.parseInt(low, 16), 2)
  return [...bytes].join('.')
}

const HOST = /^\/(?:ip6zone\/[^/]+\/)?(ip4|ip6|dns|dns4|dns6|dnsaddr)\/([^/]+)/

/** The host that a multiaddr begins with; of a relayed one, that of the relay. */
export function hostIn(address: string): string | undefined {
  return HOST.exec(address)?.[2]
}

export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** What one subscriber usually has: the IPv4 address, or the first 64 bits of the IPv6 one. */
export function networkOf(host: string): string {
  const inner = isIP(host) === 6 ? embeddedV4(host) : undefined
  if (inner !== undefined) return inner
  if (isIP(host) !== 6) return host
  const [head = '', tail] = shortestOf(host).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}

/** How a connection with this remote multiaddr runs. What cannot be read is taken for the Internet. */
export function scopeOf(address: string): Scope {
  if (isRelayed(address)) return 'relay'
  const host = hostIn(address)
  const reach = host === undefined ? 'name' : reachOf(host)
  return reach === 'loopback' || reach === 'link' || reach === 'private' ? 'lan' : 'wan'
}

/** Of the listen addresses of a node: it is reached by nothing but itself, as in tests. */
export function isLoopbackOnly(listen: readonly string[]): boolean {
  return listen.length > 0 && listen.every(each => reachOf(hostIn(each) ?? '') === 'loopback')
}

/** Of a multiaddr: everybody can dial it. */
export function isPublicAddress(address: string): boolean {
  return reachOf(hostIn(address) ?? '') === 'public' && !isRelayed(address)
}

/** May an address of a signed list be dialled? Whoever signs it is on the Internet; only nodes on loopback meet there, as in tests. */
export function mayDialListed(address: string, isOnLoopback: boolean): boolean {
  const isHere = isOnLoopback && reachOf(hostIn(address) ?? '') === 'loopback'
  return isHere || isPublicAddress(address)
}

/** Who told of an address, and whether this node is itself on loopback only, as in tests. */
export interface Hearsay {
  readonly from: Scope
  readonly isOnLoopback: boolean
}

/**
 * May an address be dialled that another peer told of? The Internet may not send this node into its own home: private
 * addresses count only from a peer that is itself there, and names of hosts are not resolved for strangers.
 */
export function mayDialHeard(address: string, { from, isOnLoopback }: Hearsay): boolean {
  const host = hostIn(address)
  switch (host === undefined ? 'nowhere' : reachOf(host)) {
    case 'public':
      return true
    case 'private':
    case 'link':
    case 'shared':
      return from === 'lan'
    case 'loopback':
      return from === 'lan' && isOnLoopback
    case 'name':
    case 'nowhere':
      return false
  }
}
