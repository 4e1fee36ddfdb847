/** The words of an explanation: what was considered, where it stands, and why it won. Pure. */
import type { AppOffer, CatalogEntry } from './entry.ts'
import type { Considered, Installed } from './resolution.ts'

export interface Candidate {
  readonly from: string
  readonly entry: CatalogEntry
}

export function considerInstalled(installed: Installed, won: boolean, why: string): Considered {
  return { from: 'installed', version: installed.version, seq: installed.seq, won, why }
}

export function placeIn(own: AppOffer, offer: AppOffer, place: string): string {
  return offer.channel === own.channel ? place : `${place} of ${offer.channel}`
}

export function considered({ from, entry }: Candidate, won: boolean, why: string): Considered {
  return { from, version: entry.version, seq: entry.seq, won, why }
}

export function reasonFor(from: string): string {
  if (from === 'head') return 'it is the head of the channel'
  return from === 'next' ? 'its rollout has reached this node' : 'it is the newest that may run'
}
