/** What the decision on an app's release is made from, and what it says. */
import type { AppOffer, CatalogEntry } from './entry.ts'
import type { Allowance } from './freshness.ts'

export interface Wish {
  readonly channel: string
  /** A version that the owner wants to stay at, within what the catalog still allows. */
  readonly pin?: string | undefined
  /** The `did:key` of an undelegated publisher whose apps the owner agreed to run. */
  readonly trusts?: string | undefined
}

export interface Installed {
  readonly publisher: string
  readonly seq: number
  readonly version: string
  /** Address of its manifest. */
  readonly manifest: string
}

export interface ResolveInput {
  /** For messages: `notes` or `<publisher>.notes`. */
  readonly name: string
  readonly wish: Wish
  /** What the catalog says of the app in the channel; a text says why it has nothing. */
  readonly offer: AppOffer | string
  /** The same app in other channels: a pin may name one of their releases. */
  readonly siblings: readonly AppOffer[]
  /** A manifest that the owner keeps on this machine. */
  readonly local: CatalogEntry | undefined
  readonly installed: Installed | undefined
  /** The publisher of an app of this id that was uninstalled here and left its data. */
  readonly retainedBy?: string | undefined
  readonly allows: Allowance
  /** Private to this node. */
  readonly seed: Uint8Array
  readonly nowMs: number
}

export type Source = 'catalog' | 'feed' | 'local'

export interface Considered {
  /** Where it stands: `head`, `next`, `older`, another channel, `installed`, or `local`. */
  readonly from: string
  readonly version: string
  readonly seq: number
  readonly won: boolean
  readonly why: string
}

export type Choice =
  | {
      readonly kind: 'install'
      readonly entry: CatalogEntry
      readonly source: Source
      /** The installed number that a signed step back may replace. */
      readonly stepsBackFrom?: number
    }
  /** What is installed stays. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'none'; readonly code: RefusalCode; readonly why: string }

export type RefusalCode =
  | 'APP_UNKNOWN'
  | 'APP_ID_TAKEN'
  | 'CONSENT_REQUIRED'
  | 'PUBLISHER_REVOKED'
  | 'CATALOG_NOT_CURRENT'
  | 'PIN_UNAVAILABLE'
  | 'RELEASE_WITHDRAWN'

export interface Resolution {
  readonly choice: Choice
  readonly considered: readonly Considered[]
  /** What the owner should know although nothing is wrong with the choice. */
  readonly notices: readonly string[]
}

/** The publisher of manifests on the owner's own disk; the catalog's release replaces theirs. */
export const LOCAL = 'local'
