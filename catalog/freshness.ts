/** How far the catalog may be believed now, and what follows from that. Pure: the table of states and flags. */

/**
 * fresh: nothing is expired. stale: expired, within the grace. expired: later than that. none: no catalog yet.
 * In every state the node runs, repairs and seeds what is installed.
 */
export type Freshness = 'fresh' | 'stale' | 'expired' | 'none'

export interface Flag {
  readonly code: 'CLOCK_SUSPECT' | 'FORK' | 'ROOT_STUCK'
  /** For people: what is wrong, by how much, and what to do. */
  readonly message: string
}

/** What a node may do on its own, and what only its owner can decide. */
export interface Allowance {
  /** `notice`: yes, and the owner is told why not without a word. `accept-stale`: only with the owner's explicit consent. */
  readonly install: 'yes' | 'notice' | 'accept-stale' | 'no'
  /** Automatic updates. */
  readonly update: boolean
  readonly reasons: readonly string[]
}

export interface FreshnessInput {
  /** This machine's clock. */
  readonly systemMs: number
  /** The newest signed time of signing that this node accepted, or the time this program was made: it is later than both. */
  readonly floorMs: number
  /** What an origin's last answer under TLS said of the time. */
  readonly originMs: number | undefined
  readonly issuedMs: number | undefined
  /** When the first of the documents ends; `undefined` without a complete set. */
  readonly expiresMs: number | undefined
  readonly staleGraceMs: number
  /** The owner accepted exactly this catalog although it is expired. */
  readonly isStaleAccepted: boolean
  /** Contents of the heads of each fork that is not settled. */
  readonly forks: readonly { readonly version: number; readonly kind: string }[]
  /** A root that peers speak of and that nobody gives, and for how long. */
  readonly missingRoot: { readonly version: number; readonly forMs: number } | undefined
}

export interface FreshnessResult {
  readonly freshness: Freshness
  /** The time that expiry is measured by, milliseconds since the epoch. */
  readonly nowMs: number
  readonly flags: readonly Flag[]
  readonly allows: Allowance
}

/** A clock without a battery that was set a moment ago is that wrong; more is worth a word. */
export const CLOCK_TOLERANCE_MS = 10 * 60_000
/** Longer than any retry of a peer that merely was away. */
export const ROOT_STUCK_AFTER_MS = 3_600_000

export function judgeFreshness(input: FreshnessInput): FreshnessResult {
  const { systemMs, floorMs } = input
  const nowMs = effectiveNow(systemMs, floorMs)
  const aheadMs = clockAheadMs(input, nowMs)
  const freshness = stateAt(input, nowMs, aheadMs !== undefined)
  const flags = flagsOf(input, nowMs, aheadMs)
  return { freshness, nowMs, flags, allows: allowanceOf(freshness, flags, input) }
}

/** A clock that is behind what was signed is not believed; small steps back are. */
export function effectiveNow(systemMs: number, floorMs: number): number {
  return systemMs < floorMs - CLOCK_TOLERANCE_MS ? floorMs : systemMs
}

/**
 * How far this clock is ahead, when all metadata looks expired by it while the origin's own clock and the signed time
 * of signing agree that it is not. It only softens `expired` to `stale`: time from an unsigned source is never trusted.
 */
function clockAheadMs(
  { originMs, issuedMs, expiresMs }: FreshnessInput,
  nowMs: number,
): number | undefined {
  if (originMs === undefined || issuedMs === undefined || expiresMs === undefined) return undefined
  const isFreshThere = originMs >= issuedMs - CLOCK_TOLERANCE_MS && originMs < expiresMs
  const isAhead = nowMs >= expiresMs && nowMs - originMs > CLOCK_TOLERANCE_MS
  return isFreshThere && isAhead ? nowMs - originMs : undefined
}

function stateAt(
  { expiresMs, staleGraceMs }: FreshnessInput,
  nowMs: number,
  isClockAhead: boolean,
): Freshness {
  if (expiresMs === undefined) return 'none'
  if (nowMs < expiresMs) return 'fresh'
  return isClockAhead || nowMs < expiresMs + staleGraceMs ? 'stale' : 'expired'
}

function flagsOf(
  { systemMs, forks, missingRoot }: FreshnessInput,
  nowMs: number,
  aheadMs: number | undefined,
): readonly Flag[] {
  const flags: Flag[] = []
  if (nowMs !== systemMs) {
    flags.push({
      code: 'CLOCK_SUSPECT',
      message: `this machine's clock is ${amount(nowMs - systemMs)} behind what the catalog was signed at; set it`,
    })
  }
  if (aheadMs !== undefined) {
    flags.push({
      code: 'CLOCK_SUSPECT',
      message: `this machine's clock is ${amount(aheadMs)} ahead of the origin's; set it`,
    })
  }
  for (const { version, kind } of forks) {
    const what = kind === 'same-version' ? 'two catalogs with version' : 'two successors of version'
    flags.push({
      code: 'FORK',
      message: `the origin's key signed ${what} ${version}; both are kept as proof. Ask the publisher which one is right`,
    })
  }
  if (missingRoot !== undefined && missingRoot.forMs >= ROOT_STUCK_AFTER_MS) {
    flags.push({
      code: 'ROOT_STUCK',
      message: `peers speak of root ${missingRoot.version}, and for ${amount(missingRoot.forMs)} nobody gives it`,
    })
  }
  return flags
}

function allowanceOf(
  freshness: Freshness,
  flags: readonly Flag[],
  { isStaleAccepted }: FreshnessInput,
): Allowance {
  const { install, reason } = BY_STATE[freshness]
  const has = (code: Flag['code']): boolean => flags.some(flag => flag.code === code)
  const reasons = reason === '' ? [] : [reason]
  for (const flag of flags) if (flag.code !== 'CLOCK_SUSPECT') reasons.push(flag.message)
  const accepted = install === 'accept-stale' && isStaleAccepted ? 'notice' : install
  return {
    install: has('FORK') ? 'no' : accepted,
    update: freshness === 'fresh' && !has('FORK') && !has('ROOT_STUCK'),
    reasons,
  }
}

const BY_STATE: Readonly<
  Record<Freshness, { readonly install: Allowance['install']; readonly reason: string }>
> = {
  none: { install: 'no', reason: 'there is no catalog yet' },
  fresh: { install: 'yes', reason: '' },
  stale: {
    install: 'notice',
    reason: 'the catalog is stale: nothing newer could be had, so there are no automatic updates',
  },
  expired: {
    install: 'accept-stale',
    reason:
      'the catalog is expired: what is installed runs on, nothing is installed without your consent',
  },
}

function amount(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`
}
