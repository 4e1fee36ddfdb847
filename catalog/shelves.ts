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

/** What an origin says of publishers. */
export interface Publishers {
  /** The version of every role that is delegated to; 0 for one whose file could not be had. */
  readonly versions: ReadonlyMap<string, number>
  readonly revokedDids: ReadonlySet<string>
}

/** Delegated to is whoever is named: a file that a mirror withholds does not unsay it. */
export function publishersOf({
  trusted: { targets },
  delegated: { roles },
}: {
  readonly trusted: Trusted
  readonly delegated: DelegatedRoles
}): Publishers {
  const loaded = [...(targets ? [targets] : []), ...roles.map(role => role.targets)]
  const named = loaded.flatMap(({ delegations }) => delegations.map(({ name }) => name))
  return {
    versions: new Map([
      ...named.map(name => [name, 0] as const),
      ...roles.map(role => [role.name, role.targets.version] as const),
    ]),
    revokedDids: new Set(targets?.revokedDids),
  }
}

/** A role that is expired makes its own apps stale; judged whenever somebody asks, because time goes on. */
export function offerAt(offer: AppOffer, nowMs: number): AppOffer {
  const { standing, expiresMs } = offer
  const isOver = expiresMs !== undefined && expiresMs <= nowMs && standing !== 'revoked'
  return isOver ? { ...offer, standing: 'stale' } : offer
}
