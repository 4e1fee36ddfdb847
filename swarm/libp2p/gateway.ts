/** Whether this machine sits behind a router of its own home, which may then be asked for a port. */
import { readFile } from 'node:fs/promises'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { hostIn, reachOf } from '../scope.ts'

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

const ROUTES = '/proc/net/route'
const ROUTES_BYTES_MAX = 64 * 1024

/** False where it cannot be told, such as on a system without /proc. */
export async function isBehindHomeRouter(listen: readonly string[]): Promise<boolean> {
  try {
    const routes = (await readFile(ROUTES, 'latin1')).slice(0, ROUTES_BYTES_MAX)
    return hasHomeRouter(routes, networkInterfaces(), listen)
  } catch {
    /* Without routes nobody is asked for anything. */
    return false
  }
}

/**
 * Pure. True when a default route leads to a private address over an interface that has a private address of its own, and this
 * node listens there. A machine with a public address needs no port, and one on loopback wants none.
 */
export function hasHomeRouter(
  routes: string,
  interfaces: Interfaces,
  listen: readonly string[],
): boolean {
  const hosts = listen.map(address => hostIn(address))
  return defaultRoutesIn(routes).some(({ name, gateway }) => {
    if (reachOf(gateway) !== 'private') return false
    const own = (interfaces[name] ?? []).filter(({ family }) => family === 'IPv4')
    return own.some(
      ({ address }) =>
        reachOf(address) === 'private' && (hosts.includes('0.0.0.0') || hosts.includes(address)),
    )
  })
}

/** Of lines like `eth0 00000000 0101A8C0 0003 …`: destination and gateway with their bytes reversed. */
function defaultRoutesIn(routes: string): readonly { name: string; gateway: string }[] {
  return routes.split('\n').flatMap(line => {
    const [name = '', destination, gateway = ''] = line.split(/\s+/)
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/.test(gateway)) return []
    return [{ name, gateway: [...Buffer.from(gateway, 'hex')].reverse().join('.') }]
  })
}
