/** What apps may know of the machine: its name, its time zone, its address in the local network. */
import { hostname, networkInterfaces } from 'node:os'
import type { Machine } from '../ports.ts'

export function readMachine(): Machine {
  const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const lan = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)
  return {
    hostname: hostname(),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    lanAddress: lan?.address ?? '127.0.0.1',
  }
}
