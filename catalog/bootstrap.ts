/** Peers that a catalog names as a first way into its network: hints, so that a wrong one is left out and nothing else. Pure. */
import { isIP } from 'node:net'

/** More than a network needs to be found; a node dials half of them. */
export const BOOTSTRAP_COUNT_MAX = 16
/** The longest IPv6 address with port and peer id has half of it. */
const ADDRESS_CHARS_MAX = 255
const FORM = /^\/(ip4|ip6)\/([^/]+)\/tcp\/(\d{1,5})\/p2p\/[1-9A-HJ-NP-Za-km-z]{46,64}$/
const PORT_MAX = 65_535
const SHOWN_CHARS_MAX = 80

export interface BootstrapHints {
  /** Multiaddrs with `/p2p/<id>`, each once. */
  readonly addresses: readonly string[]
  /** What was left out, and why, for the log. */
  readonly problems: readonly string[]
}

const NONE: BootstrapHints = { addresses: [], problems: [] }

/** Never throws: a catalog with a wrong hint is as good as one without it. */
export function parseBootstrap(value: unknown): BootstrapHints {
  if (value === undefined) return NONE
  if (!Array.isArray(value)) return { addresses: [], problems: ['x-bootstrap is not a list'] }
  const items: readonly unknown[] = value.slice(0, BOOTSTRAP_COUNT_MAX)
  const addresses = new Set<string>()
  const problems: string[] = []
  for (const item of items) {
    const problem = bootstrapProblem(item)
    if (problem !== undefined) problems.push(problem)
    else addresses.add(String(item))
  }
  const rest = value.length - items.length
  if (rest > 0) problems.push(`${rest} more than ${BOOTSTRAP_COUNT_MAX} addresses`)
  return { addresses: [...addresses], problems }
}

/** Why this is no address for the list; `undefined` when it is one. Names are none: nodes resolve no name for a stranger. */
export function bootstrapProblem(item: unknown): string | undefined {
  if (typeof item !== 'string') return 'an address that is no text'
  const shown = JSON.stringify(item.slice(0, SHOWN_CHARS_MAX))
  if (item.length > ADDRESS_CHARS_MAX) return `${shown}… is longer than ${ADDRESS_CHARS_MAX}`
  const [, family, host = '', port] = FORM.exec(item) ?? []
  const isHost = isIP(host) === (family === 'ip4' ? 4 : 6)
  if (isHost && Number(port) >= 1 && Number(port) <= PORT_MAX) return undefined
  return `${shown} is not of the form /ip4/<address>/tcp/<port>/p2p/<peer id>, or the same with /ip6/`
}
