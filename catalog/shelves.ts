/** Turns the roles of a trusted set into shelves: who stands behind each, and how its publisher stands. Pure. */
import type { Shelf } from './entries.ts'
import type { AppOffer, Tier } from './entry.ts'
import type { DelegatedRole, DelegatedRoles } from './trust/delegated.ts'
import { roleOfPublisher } from './trust/did-key.ts'
import type { Trusted } from './trust/load.ts'

/** In the order in which they decide over a path. */
export function shelvesOf({ targets }: Trusted, { roles }: DelegatedRoles): readonly Shelf[] {
  if (targets === undefined) return []
  const revoked = new Set(targets.revokedDids.map(roleOfPublisher))
  const top: Shelf = {
    role: 'targets',
    tier: 'core',
    did: undefined,
    standing: 'current',
    expiresMs: undefined,
    targets,
    speaksFor: () => true,
  }
  return [top, ...roles.map(role => shelfOf(role, revoked))]
}

function shelfOf(role: DelegatedRole, revoked: ReadonlySet<string>): Shelf {
  const { name, chain, targets, speaksFor } = role
  const did = targets.publisher?.did
  return {
    role: name,
    tier: tierOf(chain),
    did: did !== undefined && roleOfPublisher(did) === name ? did : undefined,
    standing: revoked.has(name) ? 'revoked' : role.standing,
    expiresMs: targets.expiresMs,
    targets,
    speaksFor,
  }
}

/** Whatever the offline keys delegate under a name of its own was confirmed by them. */
function tierOf([first]: readonly string[]): Tier {
  if (first === 'core') return 'core'
  return first === 'registry' ? 'registry' : 'claimed'
}

/** Whom a trusted set delegates to, by role, and whom it withdrew, by `did:key`. */
export function publishersOf({
  trusted,
  delegated,
}: {
  readonly trusted: Trusted
  readonly delegated: DelegatedRoles
}): { readonly roles: ReadonlySet<string>; readonly revokedDids: ReadonlySet<string> } {
  return {
    roles: new Set(delegated.roles.map(({ name }) => name)),
    revokedDids: new Set(trusted.targets?.revokedDids),
  }
}

/** A role that is expired makes its own apps stale; judged whenever somebody asks, because time goes on. */
export function offerAt(offer: AppOffer, nowMs: number): AppOffer {
  const { standing, expiresMs } = offer
  const isOver = expiresMs !== undefined && expiresMs <= nowMs && standing !== 'revoked'
  return isOver ? { ...offer, standing: 'stale' } : offer
}
