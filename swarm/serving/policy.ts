/** Whom this node serves, and under which limit: mode, metered link, full disk, exemption of the house. Pure. */
import type { Scope } from '../scope.ts'
import type { LimitInForce, LimitsInForce } from './schedule.ts'

export const SEEDING_MODES = ['off', 'lan', 'ratio', 'always'] as const
export type SeedingMode = (typeof SEEDING_MODES)[number]

export interface Rules {
  readonly mode: SeedingMode
  /** In mode `ratio`: how many times a blob's own size is given beyond the house. */
  readonly ratio: number
  /** Limits hold for peers of the house as well. */
  readonly limitLan: boolean
}

/** What the machine is in at the moment. */
export interface Surroundings {
  /** Bytes cost money: only the house is served. */
  readonly isMetered: boolean
  /** The disk is nearly full: nothing is served, before anything else is given up. */
  readonly isSpaceLow: boolean
}

/** What a peer of one scope gets, for people: each part says why. */
export interface Terms {
  readonly serves: boolean
  readonly why: string
  /** Of the limits on upload and download. */
  readonly isExempt: boolean
  readonly upload: LimitInForce
  readonly download: LimitInForce
}

const NO_LIMIT: LimitInForce = { bytesPerSecond: undefined, setBy: 'configuration' }

export function termsFor(
  scope: Scope,
  rules: Rules,
  { isMetered, isSpaceLow }: Surroundings,
  { upload, download }: LimitsInForce,
): Terms {
  const isExempt = scope === 'lan' && !rules.limitLan
  const why = refusal(scope, rules.mode, { isMetered, isSpaceLow })
  return {
    serves: why === undefined,
    why: why ?? `seeding is ${rules.mode}`,
    isExempt,
    upload: isExempt ? NO_LIMIT : upload,
    download: isExempt ? NO_LIMIT : download,
  }
}

function refusal(
  scope: Scope,
  mode: SeedingMode,
  { isMetered, isSpaceLow }: Surroundings,
): string | undefined {
  if (scope === 'relay') return 'a relayed link carries no blobs'
  if (isSpaceLow) return 'the disk is nearly full'
  if (mode === 'off') return 'seeding is off'
  if (scope === 'lan') return undefined
  if (mode === 'lan') return 'seeding is for the LAN only'
  return isMetered ? 'the link is metered: only the LAN is served' : undefined
}

/** Whether one blob may still be given: in mode `ratio` it may until enough of it went beyond the house. */
export function mayGive(
  scope: Scope,
  { mode, ratio }: Rules,
  blob: { readonly sizeBytes: number; readonly givenBytes: number },
): boolean {
  return scope === 'lan' || mode !== 'ratio' || blob.givenBytes < ratio * blob.sizeBytes
}
