/** Who may open a bulk channel here: tokens that were told to one peer each, for a while, and what each leads to. */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../src/core/clock.ts'
import { BULK_TOKEN_LIFETIME_MS, BULK_TOKENS_MAX } from '../limits.ts'
import { TOKEN_BYTES } from '../wire.ts'

interface Entry<Owner> {
  readonly owner: Owner
  readonly token: Uint8Array
  readonly expiresAtMs: number
}

export interface TokenTable<Owner> {
  /** A fresh token for `owner`; those before it stay valid until they expire. */
  issue(owner: Owner): Uint8Array
  /** Whose token it is. Takes the same time whatever is presented. */
  ownerOf(presented: Uint8Array): Owner | undefined
  /** None of the owner's tokens is valid any more. */
  revoke(owner: Owner): void
  readonly count: number
}

interface Deps {
  readonly clock: Clock
  /** This many bytes that nobody can guess. */
  secret(lengthBytes: number): Uint8Array
}

/** When `BULK_TOKENS_MAX` are valid, the oldest makes room. */
export function createTokenTable<Owner>({ clock, secret }: Deps): TokenTable<Owner> {
  /** Oldest first, which is the first to expire. */
  let entries: Entry<Owner>[] = []
  return {
    get count() {
      return entries.length
    },
    issue(owner) {
      const nowMs = clock.monotonicMs()
      while ((entries[0]?.expiresAtMs ?? nowMs + 1) <= nowMs) entries.shift()
      if (entries.length >= BULK_TOKENS_MAX) entries.shift()
      const token = secret(TOKEN_BYTES)
      entries.push({ owner, token, expiresAtMs: nowMs + BULK_TOKEN_LIFETIME_MS })
      return token
    },
    ownerOf(presented) {
      const nowMs = clock.monotonicMs()
      let owner: Owner | undefined
      if (presented.byteLength !== TOKEN_BYTES) return undefined
      for (const entry of entries) {
        const isIt = timingSafeEqual(entry.token, presented)
        if (isIt && entry.expiresAtMs > nowMs) owner = entry.owner
      }
      return owner
    },
    revoke(owner) {
      entries = entries.filter(entry => entry.owner !== owner)
    },
  }
}
