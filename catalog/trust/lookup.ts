/** Finds the target of a path: in the top-level targets, or in delegated roles in the order of their delegation. */
import { createHash } from 'node:crypto'
import type { TargetEntry } from './document.ts'
import { DELEGATION_COUNT_MAX, DELEGATION_DEPTH_MAX } from './limits.ts'
import type { Trusted } from './load.ts'
import type { DelegationModel, RoleModel, TargetsModel } from './model.ts'
import { refreshRole, type TrustDeps } from './refresh.ts'

export interface TargetHit {
  /** The role that signed for the target. */
  readonly role: string
  readonly target: TargetEntry
}

interface Visit {
  readonly role: string
  readonly keys: RoleModel
  readonly depth: number
}

/**
 * Depth first, in the order of delegation; a terminating delegation that matches ends the search below its level.
 * Every delegated role is checked against the role that led to it. Opens at most `DELEGATION_COUNT_MAX` roles.
 * @throws CatalogError when a role on the way cannot be trusted or fetched
 * @see TUF 1.0.34 §5.6.7
 */
export async function findTarget(
  deps: TrustDeps,
  trusted: Trusted,
  path: string,
): Promise<TargetHit | undefined> {
  const { root, snapshot, targets: top } = trusted
  if (snapshot === undefined || top === undefined) return undefined
  let open: readonly Visit[] = [{ role: 'targets', keys: root.roles.targets, depth: 0 }]
  const visited = new Set<string>()
  while (open.length > 0 && visited.size <= DELEGATION_COUNT_MAX) {
    const [visit, ...rest] = open
    open = rest
    if (visit === undefined || visited.has(visit.role)) continue
    visited.add(visit.role)
    const targets =
      visit.role === 'targets'
        ? top
        : await refreshRole(deps, root, snapshot, visit.role, visit.keys)
    const target = targets.targets.get(path)
    if (target !== undefined) return { role: visit.role, target }
    if (visit.depth >= DELEGATION_DEPTH_MAX) continue
    const next = delegationsFor(targets, path)
    const below = next.map(keys => ({ role: keys.name, keys, depth: visit.depth + 1 }))
    open = next.at(-1)?.terminating ? below : [...below, ...rest]
  }
  return undefined
}

/** The delegations that may speak for `path`, in order, up to and with the first terminating one. */
function delegationsFor(targets: TargetsModel, path: string): readonly DelegationModel[] {
  const matching = targets.delegations.filter(delegation => isDelegated(delegation, path))
  const end = matching.findIndex(({ terminating }) => terminating)
  return end === -1 ? matching : matching.slice(0, end + 1)
}

/** Whether a delegation names `path`, by pattern or by the beginning of its hash. */
export function isDelegated(delegation: DelegationModel, path: string): boolean {
  if (delegation.paths.some(pattern => matchesPath(pattern, path))) return true
  if (delegation.pathHashPrefixes.length === 0) return false
  const hash = createHash('sha256').update(path, 'utf8').digest('hex')
  return delegation.pathHashPrefixes.some(prefix => hash.startsWith(prefix))
}

/** Segment by segment; `*` stands for any text without a slash, `?` for one character. */
export function matchesPath(pattern: string, path: string): boolean {
  const patterns = pattern.split('/')
  const parts = path.split('/')
  if (patterns.length !== parts.length) return false
  return patterns.every((segment, index) => matchesSegment(segment, parts[index] ?? ''))
}

/** Goes back to the last `*` only, so the time is at most the product of both lengths. */
function matchesSegment(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let retry = 0
  let position = 0
  while (position < text.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at
      at += 1
      retry = position
    } else if (wanted === '?' || wanted === text[position]) {
      at += 1
      position += 1
    } else if (star >= 0) {
      at = star + 1
      retry += 1
      position = retry
    } else {
      return false
    }
  }
  return /^\**$/.test(pattern.slice(at))
}
