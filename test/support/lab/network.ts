/** The lab's network: one bridge, and one network namespace per node and boot. Runs inside the lab's own namespaces. */
import { runCommand, runOk } from './command.ts'
import { LabError } from './errors.ts'

export const NETWORK_V4 = '10.99.0'
export const NETWORK_V6 = 'fd99:0:0:0'
export const GATEWAY_V4 = `${NETWORK_V4}.1`

/** Nodes and bare hosts have addresses of their own ranges. */
export const FIRST_NODE_INDEX = 11
export const FIRST_HOST_INDEX = 101
export const LAST_INDEX = 254

export interface Network {
  /** A fresh namespace, as after a real reboot; wanted limits are applied again. */
  attach(name: string, index: number): Promise<void>
  /** Bits per second in each direction; `undefined` for no limit. */
  shape(name: string, rateBitsPerSecond: number | undefined): Promise<void>
  /** Takes the carrier away, or gives it back. */
  link(name: string, isUp: boolean): Promise<void>
  partition(a: string, b: string): Promise<void>
  /** Ends all partitions and brings all carriers back. */
  heal(): Promise<void>
}

/** Interface names have at most 15 bytes; the prefix takes two, and a digit may follow. */
const NAME = /^[a-z][a-z0-9]{0,10}$/

/** @throws LabError `LAB_USAGE` */
export function checkName(name: string): string {
  if (NAME.test(name)) return name
  throw new LabError(
    'LAB_USAGE',
    `"${name}" is no name for a node: 1 to 11 of a-z and 0-9, a letter first`,
  )
}

const ATTACH = `
ip link del "v-$1" 2>/dev/null || :
ip netns del "$1" 2>/dev/null || :
ip netns add "$1"
ip link add "v-$1" type veth peer name host0 address "$2" netns "$1"
ip link set "v-$1" up master br0
ip -n "$1" link set lo up
ip -n "$1" link set host0 up
ip -n "$1" addr add "$3/24" dev host0
ip -n "$1" -6 addr add "$4/64" dev host0 nodad
ip -n "$1" route add default via "$5"
`

const LIMIT = `
tc qdisc del dev "v-$1" root 2>/dev/null || :
ip netns exec "$1" tc qdisc del dev host0 root 2>/dev/null || :
[ "$2" = none ] && exit 0
tc qdisc add dev "v-$1" root tbf rate "\${2}bit" burst 64kb latency 400ms
ip netns exec "$1" tc qdisc add dev host0 root tbf rate "\${2}bit" burst 64kb latency 400ms
`

export function addressV4(index: number): string {
  return `${NETWORK_V4}.${index}`
}

export function addressV6(index: number): string {
  return `${NETWORK_V6}::${index}`
}

export function createNetwork(): Network {
  const attached = new Set<string>()
  const rates = new Map<string, number>()

  async function limit(name: string): Promise<void> {
    await script(LIMIT, [name, String(rates.get(name) ?? 'none')])
  }

  return {
    async attach(name, index) {
      const mac = `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`
      await script(ATTACH, [name, mac, addressV4(index), addressV6(index), GATEWAY_V4])
      attached.add(name)
      await limit(name)
    },
    async shape(name, rateBitsPerSecond) {
      if (rateBitsPerSecond === undefined) rates.delete(name)
      else rates.set(name, Math.round(rateBitsPerSecond))
      await limit(name)
    },
    async link(name, isUp) {
      await runOk(['ip', 'link', 'set', `v-${name}`, isUp ? 'up' : 'down'])
    },
    async partition(a, b) {
      const pairs = `{ "v-${a}" . "v-${b}", "v-${b}" . "v-${a}" }`
      await runOk(['nft', 'add', 'element', 'bridge', 'lab', 'cut', pairs])
    },
    async heal() {
      await runOk(['nft', 'flush', 'set', 'bridge', 'lab', 'cut'])
      // A node that is off has no link to bring up.
      for (const name of attached) await runCommand(['ip', 'link', 'set', `v-${name}`, 'up'])
    },
  }
}

function script(text: string, args: readonly string[]): Promise<string> {
  return runOk(['sh', '-euc', text, 'lab', ...args])
}
