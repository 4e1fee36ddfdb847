/** How long each signed document is believed, and how long before its end it is signed anew. */

/** The roles that an origin signs itself. */
export type OriginRole =
  | 'root'
  | 'targets'
  | 'core'
  | 'claimed'
  | 'registry'
  | 'snapshot'
  | 'timestamp'

interface Term {
  readonly validDays: number
  /** Within so many days of its expiry a document is renewed even if it says nothing new. */
  readonly renewDays: number
}

/** Offline keys sign rarely; what the online keys sign is short, so that a stolen one is soon worth nothing. */
export const TERMS: Readonly<Record<OriginRole, Term>> = {
  root: { validDays: 365, renewDays: 60 },
  targets: { validDays: 180, renewDays: 45 },
  core: { validDays: 90, renewDays: 30 },
  claimed: { validDays: 180, renewDays: 45 },
  registry: { validDays: 30, renewDays: 10 },
  snapshot: { validDays: 30, renewDays: 23 },
  timestamp: { validDays: 7, renewDays: 7 },
}

export const DAY_MS = 86_400_000
