/** Devices, capabilities and what the owner granted beyond them. Pure. */
import type { Component } from '../../catalog/index.ts'
import type { UnitLine } from './file.ts'

interface Grant {
  readonly capabilities: readonly string[]
  /** Only those that the machine has, when the units are made. */
  readonly devices: readonly string[]
}

/** What each grant means. `host-network` is a network, not a capability. */
const GRANTS: { readonly [name in keyof Component['grants']]-?: Grant } = {
  'net-admin': { capabilities: ['NET_ADMIN'], devices: [] },
  'net-raw': { capabilities: ['NET_RAW'], devices: [] },
  'host-network': { capabilities: [], devices: [] },
  tun: { capabilities: ['NET_ADMIN'], devices: ['/dev/net/tun'] },
  gpu: { capabilities: [], devices: ['/dev/dri'] },
  // The names below /dev/serial are links to these, and a folder that is not there cannot be mounted.
  'usb-serial': {
    capabilities: [],
    devices: [
      'ttyUSB0',
      'ttyUSB1',
      'ttyUSB2',
      'ttyUSB3',
      'ttyACM0',
      'ttyACM1',
      'ttyACM2',
      'ttyACM3',
    ].map(name => `/dev/${name}`),
  },
}

/**
 * All capabilities are dropped first. Devices of the machine belong to groups such as `render` or `dialout`: the container
 * keeps those that the node's user is in.
 */
export function grantLines(component: Component): readonly UnitLine[] {
  const names = Object.keys(component.grants).sort() as (keyof typeof GRANTS)[]
  const grants = names.map(name => GRANTS[name])
  const capabilities = new Set([
    ...component.security.capabilities,
    ...grants.flatMap(each => each.capabilities),
  ])
  const devices = new Map([
    ...grants.flatMap(each => each.devices).map(path => [path, true] as const),
    ...component.devices.map(({ path, optional }) => [path, optional] as const),
  ])
  return [
    ['DropCapability', 'all'],
    ...[...capabilities].sort().map((name): UnitLine => ['AddCapability', `CAP_${name}`]),
    ...[...devices].map(
      ([path, isOptional]): UnitLine => ['AddDevice', `${isOptional ? '-' : ''}${path}`],
    ),
    ...(devices.size === 0 ? [] : ([['GroupAdd', 'keep-groups']] as const)),
  ]
}
