/** A `.network` file becomes a service that runs `podman network create`. Pure. */
import { type Conversion, makeOneshot, podmanCommand } from './conversion.ts'
import { booleanFlags, eachFlag, type FlagTable, pairFlags, textFlags } from './flags.ts'
import { QuadletProblem } from './problem.ts'
import type { Reading } from './reading.ts'

const BOOLEAN: FlagTable = { DisableDNS: '--disable-dns', Internal: '--internal', IPv6: '--ipv6' }
const TEXT: FlagTable = { Driver: '--driver', IPAMDriver: '--ipam-driver' }
const PAIRS: FlagTable = { Options: '--opt', Label: '--label' }

/** Every key of `[Network]` that Podman 5.4.2 knows. */
export const NETWORK_KEYS: ReadonlySet<string> = new Set([
  ...[BOOLEAN, TEXT, PAIRS].flatMap(Object.keys),
  ...['ContainersConfModule', 'DNS', 'Gateway', 'GlobalArgs', 'IPRange'],
  ...['NetworkName', 'PodmanArgs', 'ServiceName', 'Subnet'],
])

/** @throws QuadletProblem */
export function convertNetwork(conversion: Conversion, resource: string): void {
  const { own, draft } = conversion
  draft.addCommand('Service', 'ExecStart', [
    ...podmanCommand(conversion),
    ...['network', 'create', '--ignore'],
    ...booleanFlags(own, BOOLEAN),
    ...textFlags(own, TEXT),
    ...eachFlag(own, { DNS: '--dns' }),
    ...subnetFlags(own),
    ...pairFlags(own, PAIRS),
    ...own.args('PodmanArgs'),
    resource,
  ])
  makeOneshot(conversion)
}

/** The n-th gateway and range belong to the n-th subnet. */
function subnetFlags(own: Reading): readonly string[] {
  const subnets = own.all('Subnet')
  const gateways = own.all('Gateway')
  const ranges = own.all('IPRange')
  if (subnets.length === 0 && (ranges.length > 0 || gateways.length > 0)) {
    throw new QuadletProblem('cannot set gateway or range without subnet')
  }
  for (const [name, list] of [
    ['gateways', gateways],
    ['ranges', ranges],
  ] as const) {
    if (list.length > subnets.length)
      throw new QuadletProblem(`cannot set more ${name} than subnets`)
  }
  return subnets.flatMap((subnet, index) => [
    ...['--subnet', subnet],
    ...option('--gateway', gateways[index]),
    ...option('--ip-range', ranges[index]),
  ])
}

function option(flag: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [flag, value]
}
