/** The node's catalog: keeps the trusted set on disk, refreshes it from many sources, and answers what may run. */

import type { Digest } from '../src/core/digest.ts'
import { codeOf, messageOf } from '../src/core/errors.ts'
import { createSequence } from '../src/core/sequence.ts'
import { type AcceptedStale, openAcceptedStale } from './accepted-stale.ts'
import { AttemptFailed, attemptRefresh } from './attempt.ts'
import { isRootFile, planCommit } from './cache.ts'
import type { Catalog, CatalogDeps, CatalogOptions } from './catalog.ts'
import { type Claims, createClaims } from './claims.ts'
import { findApp } from './entries.ts'
import type { AppOffer } from './entry.ts'
import { CatalogError } from './errors.ts'
import type { ForkProof } from './fork.ts'
import { type ForkWatch, openForkWatch } from './fork-watch.ts'
import { effectiveNow, judgeFreshness } from './freshness.ts'
import { mirrorFile, mirrorFileByDigest } from './mirror.ts'
import { offerAt, publishersOf } from './shelves.ts'
import type { HeadClaim, MetadataSource } from './source.ts'
import { commit, loadState, openState, STRICT, type State } from './state.ts'
import { type CatalogStatus, expiryOf, type OriginStatus, statusOf } from './status.ts'
import { acceptEmbeddedRoot } from './trust/accept.ts'

/** Longer than a holiday without anyone at the origin. */
const STALE_GRACE_MS = 30 * 86_400_000
const DAY_MS = 86_400_000
/** Peers asked in one refresh: one honest one among a handful of liars is found; nobody is flooded. */
const PEER_COUNT_MAX = 8

/**
 * Opens the catalog in `folder` and believes as much of it as the embedded root proves, whether expired or not:
 * what is installed must stay known. Damaged files are reported and fetched again by the next refresh.
 * @throws CatalogError `ROOT_INVALID`
 */
export async function createCatalog(
  deps: CatalogDeps,
  options: CatalogOptions = {},
): Promise<Catalog> {
  const state = await openState(deps)
  const forks = await openForkWatch(deps.folder, deps.log)
  const accepted = await openAcceptedStale(deps.folder, deps.log)
  return new LiveCatalog(deps, options, state, forks, accepted)
}

class LiveCatalog implements Catalog {
  readonly #deps: CatalogDeps
  readonly #options: CatalogOptions
  readonly #accepted: AcceptedStale
  readonly #claims: Claims = createClaims()
  readonly #forks: ForkWatch
  readonly #embedded: { readonly name: string; readonly bytes: Uint8Array }
  #state: State
  readonly #inTurn = createSequence()
  #origin: OriginStatus = { reachedAtMs: undefined, error: undefined }
  #source: string | undefined
  #originClockMs: { readonly offsetMs: number } | undefined
  #unlinkedSinceMs: number | undefined

  constructor(
    deps: CatalogDeps,
    options: CatalogOptions,
    state: State,
    forks: ForkWatch,
    accepted: AcceptedStale,
  ) {
    this.#deps = deps
    this.#options = options
    const { version } = acceptEmbeddedRoot(deps.root, STRICT)
    this.#embedded = { name: `${version}.root.json`, bytes: deps.root }
    this.#state = state
    this.#forks = forks
    this.#accepted = accepted
  }

  refresh(signal?: AbortSignal): Promise<'updated' | 'unchanged'> {
    return this.#inTurn(() => this.#refreshNow(signal))
  }

  refreshFrom(source: MetadataSource, signal?: AbortSignal): Promise<'updated' | 'unchanged'> {
    return this.#inTurn(async () => {
      const { trusted } = this.#state
      const failure = await this.#try(source, signal)
      if (failure !== undefined) throw failure
      return this.#state.trusted === trusted ? 'unchanged' : 'updated'
    })
  }

  offers(): readonly AppOffer[] {
    const nowMs = this.#nowMs()
    return this.#state.apps.offers.map(offer => offerAt(offer, nowMs))
  }

  readonly publishers = (): ReturnType<Catalog['publishers']> => publishersOf(this.#state)

  find(app: string, channel: string): AppOffer {
    return offerAt(findApp(this.#state.apps, app, channel), this.#nowMs())
  }

  status(): CatalogStatus {
    const { trusted } = this.#state
    const { timestamp, root } = trusted
    const systemMs = this.#deps.clock.nowMs()
    const offset = this.#originClockMs?.offsetMs
    const freshness = judgeFreshness({
      systemMs,
      floorMs: this.#floorMs(),
      originMs: offset === undefined ? undefined : systemMs + offset,
      issuedMs: timestamp?.issuedMs,
      expiresMs: expiryOf(trusted),
      staleGraceMs:
        root.policy === undefined
          ? (this.#options.staleGraceMs ?? STALE_GRACE_MS)
          : root.policy.staleGraceDays * DAY_MS,
      isStaleAccepted:
        timestamp !== undefined && this.#accepted.has(timestamp.version, timestamp.content),
      forks: this.#forks.open(this.#state),
      missingRoot: this.#claims.missingRoot(root.version, this.#deps.clock.monotonicMs()),
    })
    const unlinked = this.#unlinkedSinceMs
    return statusOf(this.#state, freshness, {
      source: this.#source,
      origin: this.#origin,
      unlinkedForMs: unlinked === undefined ? undefined : systemMs - unlinked,
    })
  }

  head(): HeadClaim | undefined {
    const { root, timestamp } = this.#state.trusted
    if (timestamp === undefined) return undefined
    return { root: root.version, timestamp: timestamp.version, content: timestamp.content }
  }

  file(name: string): Uint8Array | undefined {
    return mirrorFile(this.#state, this.#embedded, name)
  }

  fileByDigest(digest: Digest): Uint8Array | undefined {
    return mirrorFileByDigest(this.#state, digest)
  }

  noteClaim(source: string, claim: HeadClaim | undefined): boolean {
    this.#claims.note(source, claim, this.#deps.clock.monotonicMs())
    if (claim === undefined) return false
    const { root, timestamp } = this.#state.trusted
    const isOther = claim.timestamp === timestamp?.version && claim.content !== timestamp.content
    return claim.root > root.version || claim.timestamp > (timestamp?.version ?? 0) || isOther
  }

  noteHead(bytes: Uint8Array): Promise<'known' | 'newer' | 'forked' | 'refused'> {
    return this.#forks.judge(this.#state, bytes)
  }

  noteProof(a: Uint8Array, b: Uint8Array): Promise<boolean> {
    return this.#forks.judgeProof(this.#state, a, b)
  }

  forks(): readonly ForkProof[] {
    return this.#forks.all()
  }

  async acceptStale(version: number, content: string): Promise<void> {
    const { timestamp } = this.#state.trusted
    const isThis = timestamp?.version === version && isPrefixOf(content, timestamp.content)
    if (timestamp === undefined || !isThis) {
      const mine = timestamp === undefined ? 'none' : `${timestamp.version}:${timestamp.content}`
      throw new CatalogError(
        'STALE_NOT_THIS',
        `the catalog of this node is ${mine}, not ${version}:${content.slice(0, 64)}`,
      )
    }
    await this.#accepted.add(version, timestamp.content)
  }

  async #refreshNow(signal: AbortSignal | undefined): Promise<'updated' | 'unchanged'> {
    signal?.throwIfAborted()
    const before = this.#state
    const sources = this.#deps.sources()
    const origins = sources.filter(({ kind }) => kind !== 'peer')
    let failure: Error | undefined
    let isReached = false
    for (const source of origins) {
      const error = await this.#try(source, signal)
      if (error === undefined) isReached = true
      else failure ??= error
      if (isReached) break
    }
    if (origins.length > 0) this.#noteOrigin(isReached, failure)
    const { root, timestamp } = this.#state.trusted
    if (!isReached || this.#claims.hasNewer(root.version, timestamp?.version ?? 0)) {
      for (const peer of sources.filter(({ kind }) => kind === 'peer').slice(0, PEER_COUNT_MAX)) {
        const error = await this.#try(peer, signal)
        if (error === undefined) isReached = true
        else failure ??= error
      }
    }
    if (!isReached)
      throw failure ?? new CatalogError('METADATA_UNREACHABLE', 'there is nobody to ask')
    return this.#state.trusted === before.trusted && this.#state.delegated === before.delegated
      ? 'unchanged'
      : 'updated'
  }

  /** Asks one source. Returns the reason when it did not help; the state is then as before, but for new roots and floors. */
  async #try(source: MetadataSource, signal: AbortSignal | undefined): Promise<Error | undefined> {
    const { log } = this.#deps
    const forks: ForkProof[] = []
    const nowMs = this.#nowMs()
    const deps = { ...this.#deps, nowMs, onFork: (proof: ForkProof) => void forks.push(proof) }
    try {
      const { state, isChanged, isLinked } = await attemptRefresh(deps, this.#state, source, signal)
      await commit(this.#deps, this.#state, state)
      this.#state = state
      if (!isLinked) this.#unlinkedSinceMs ??= this.#deps.clock.nowMs()
      else if (isChanged) this.#unlinkedSinceMs = undefined
      if (!isChanged) return undefined
      this.#source = source.name
      const { root, timestamp, snapshot, targets } = this.status()
      const entries = state.apps.offers.length
      log.info('catalog accepted', {
        root,
        timestamp,
        snapshot,
        targets,
        entries,
        source: source.name,
      })
      return undefined
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error
      await this.#keepProgress(error.kept)
      const { cause } = error
      if (!(cause instanceof CatalogError)) throw cause
      log.debug('catalog source refused', {
        source: source.name,
        code: cause.code,
        reason: cause.message,
      })
      this.#deps.onRefused?.(source, cause)
      return cause
    } finally {
      this.#noteClock(source)
      for (const proof of forks) await this.#forks.keep(proof)
    }
  }

  /** After a failed attempt: new roots and floors count from now on, everything else is as before. */
  async #keepProgress(kept: Pick<State, 'files' | 'floors'>): Promise<void> {
    const before = this.#state
    const roots = [...kept.files].filter(([name]) => isRootFile(name))
    const files = new Map([...before.files, ...roots])
    try {
      await commit(this.#deps, before, { files, floors: kept.floors })
    } catch (error) {
      this.#deps.log.warn('catalog progress could not be saved', { error: messageOf(error) })
      return
    }
    this.#state =
      planCommit(before.files, files).length === 0
        ? { ...before, floors: kept.floors }
        : await loadState(this.#deps, files, kept.floors)
  }

  #noteOrigin(isReached: boolean, failure: Error | undefined): void {
    const nowMs = this.#deps.clock.nowMs()
    if (isReached) {
      this.#origin = { reachedAtMs: nowMs, error: undefined }
      return
    }
    const code = codeOf(failure) ?? 'INTERNAL'
    const message = messageOf(failure)
    const sinceMs = this.#origin.error?.sinceMs ?? nowMs
    this.#origin = { ...this.#origin, error: { code, message, sinceMs } }
  }

  #noteClock(source: MetadataSource): void {
    const statedMs = source.clockMs?.()
    if (statedMs === undefined) return
    this.#originClockMs = { offsetMs: statedMs - this.#deps.clock.nowMs() }
  }

  #floorMs(): number {
    return Math.max(this.#state.floors.issuedMs, this.#options.builtMs ?? 0)
  }

  #nowMs(): number {
    return effectiveNow(this.#deps.clock.nowMs(), this.#floorMs())
  }
}

/** Half of the hash is more than anybody could forge, and short enough to type. */
const CONTENT_DIGITS_MIN = 16

function isPrefixOf(typed: string, content: string): boolean {
  return typed.length >= CONTENT_DIGITS_MIN && content.startsWith(typed.toLowerCase())
}
