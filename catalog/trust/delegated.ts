/**
 * Every delegated role of a trusted set, in the order of delegation: each is verified against the role that delegates it, and fails
 * alone, so that one publisher's missing file does not hide the others.
 */
import { CatalogError } from '../errors.ts'
import { acceptTargets } from './accept.ts'
import { DELEGATED_ROLE_COUNT_MAX, DELEGATION_DEPTH_MAX, ROLE_FETCH_COUNT } from './limits.ts'
import type { Trusted } from './load.ts'
import { isDelegated } from './lookup.ts'
import type { DelegationModel, TargetsModel } from './model.ts'
import { refreshRole, type TrustDeps } from './refresh.ts'

export interface DelegatedRole {
  readonly name: string
  /** The delegated roles that lead to it, itself last: `['claimed', 'pub-z…']`. */
  readonly chain: readonly string[]
  readonly targets: TargetsModel
  /** `kept`: the file that the snapshot names could not be had; this is the last one that was verified. */
  readonly standing: 'current' | 'kept'
  /** Whether every delegation on the way, and no terminating one before them, leads to this role for `path`. */
  speaksFor(path: string): boolean
}

export interface RoleProblem {
  readonly role: string
  readonly code: string
  readonly message: string
}

export interface DelegatedRoles {
  readonly roles: readonly DelegatedRole[]
  readonly problems: readonly RoleProblem[]
}

export const noDelegatedRoles: DelegatedRoles = { roles: [], problems: [] }

type Speaks = (path: string) => boolean

/**
 * Loads what the store has and fetches what is newer. Whether a role is expired is for the caller to judge.
 * @throws anything but `CatalogError`
 */
export async function refreshDelegated(deps: TrustDeps, trusted: Trusted): Promise<DelegatedRoles> {
  const { targets } = trusted
  if (targets === undefined) return noDelegatedRoles
  const walk = new Walk({ ...deps, acceptExpired: true }, trusted)
  return { roles: await walk.below(targets, [], () => true), problems: walk.problems }
}

class Walk {
  readonly problems: RoleProblem[] = []
  readonly #deps: TrustDeps
  readonly #trusted: Trusted
  readonly #seen = new Set<string>()

  constructor(deps: TrustDeps, trusted: Trusted) {
    this.#deps = deps
    this.#trusted = trusted
  }

  async below(
    parent: TargetsModel,
    chain: readonly string[],
    parentSpeaks: Speaks,
  ): Promise<readonly DelegatedRole[]> {
    const mine = parent.delegations.filter(({ name }) => this.#claim(name, chain.length))
    const endsBefore = terminatingIndex(parent.delegations)
    const loaded = await mapLimited(mine, ROLE_FETCH_COUNT, each => this.#load(each))
    const roles: DelegatedRole[] = []
    for (const [index, delegation] of mine.entries()) {
      const found = loaded[index]
      if (found === undefined) continue
      const place = parent.delegations.indexOf(delegation)
      const speaksFor: Speaks = path =>
        parentSpeaks(path) && isDelegated(delegation, path) && endsBefore(path) >= place
      const own = [...chain, delegation.name]
      const below = await this.below(found.targets, own, speaksFor)
      roles.push({ name: delegation.name, chain: own, ...found, speaksFor }, ...below)
    }
    return roles
  }

  /** P9: a role is delegated from one place. */
  #claim(name: string, depth: number): boolean {
    if (this.#seen.has(name)) {
      this.#note(name, 'DELEGATION_TWICE', `the role ${name} is delegated twice; the first counts`)
      return false
    }
    if (this.#seen.size >= DELEGATED_ROLE_COUNT_MAX || depth >= DELEGATION_DEPTH_MAX) {
      const most = `${DELEGATED_ROLE_COUNT_MAX} roles, ${DELEGATION_DEPTH_MAX} below each other`
      this.#note(name, 'DELEGATION_LIMIT', `the role ${name} is not loaded: the most is ${most}`)
      return false
    }
    this.#seen.add(name)
    return true
  }

  async #load(
    delegation: DelegationModel,
  ): Promise<Pick<DelegatedRole, 'targets' | 'standing'> | undefined> {
    const { root, snapshot } = this.#trusted
    if (snapshot === undefined) return undefined
    const { name } = delegation
    try {
      const targets = await refreshRole(this.#deps, root, snapshot, name, delegation)
      return { targets, standing: 'current' }
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error
      this.#note(name, error.code, error.message)
      const targets = this.#newestStored(delegation)
      return targets && { targets, standing: 'kept' }
    }
  }

  /** The newest file that this node has of the role and that its present delegator still vouches for. */
  #newestStored(delegation: DelegationModel): TargetsModel | undefined {
    const { store, rules } = this.#deps
    for (const version of store.versions(delegation.name)) {
      const bytes = store.get(delegation.name, version)
      if (bytes === undefined) continue
      const expected = { version, length: undefined, hashes: new Map(), blake3: undefined }
      try {
        return acceptTargets(delegation.name, delegation, expected, undefined, bytes, rules)
      } catch (error) {
        if (!(error instanceof CatalogError)) throw error
        this.#note(delegation.name, error.code, `a stored file is not used: ${error.message}`)
      }
    }
    return undefined
  }

  #note(role: string, code: string, message: string): void {
    this.problems.push({ role, code, message })
  }
}

/**
 * For a path, the place of the first terminating delegation that names it. An index by the fixed beginning of each
 * pattern: with thousands of publishers nobody can try every pattern for every path.
 */
function terminatingIndex(delegations: readonly DelegationModel[]): (path: string) => number {
  const byBeginning = new Map<string, { place: number; delegation: DelegationModel }[]>()
  for (const [place, delegation] of delegations.entries()) {
    if (!delegation.terminating) continue
    const patterns = delegation.paths.length > 0 ? delegation.paths : ['']
    for (const pattern of patterns) {
      const beginning = pattern.split(/[*?]/, 1)[0] ?? ''
      const list = byBeginning.get(beginning) ?? []
      list.push({ place, delegation })
      byBeginning.set(beginning, list)
    }
  }
  return path => {
    let first = Number.POSITIVE_INFINITY
    for (let length = 0; length <= path.length; length += 1) {
      for (const { place, delegation } of byBeginning.get(path.slice(0, length)) ?? []) {
        if (place < first && isDelegated(delegation, path)) first = place
      }
    }
    return first
  }
}

async function mapLimited<T, R>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>()
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results.set(index, await work(item))
  }
  await Promise.all(Array.from({ length: count }, worker))
  return items.map((_, index) => results.get(index) as R)
}
