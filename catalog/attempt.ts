/** One attempt to get a newer catalog from one source, on a copy of the state: a bad source changes nothing. */
import { createMemoryStore, filesOf, type MemoryStore } from './cache.ts'
import { CatalogError } from './errors.ts'
import { type Conflict, type ForkProof, findConflict, isSettled } from './fork.ts'
import { fillHistory, type Known, readHistory } from './history.ts'
import type { MetadataSource } from './source.ts'
import { type Disk, STRICT, type State, stateOf } from './state.ts'
import { refreshDelegated } from './trust/delegated.ts'
import { TIMESTAMP_BYTES_MAX } from './trust/limits.ts'
import type { TimestampModel } from './trust/model.ts'
import { refreshTrusted, type TrustDeps } from './trust/refresh.ts'

export interface AttemptDeps extends Disk {
  /** The time that expiry is measured by. */
  readonly nowMs: number
  /** Called with each contradiction; what was trusted first stays. */
  onFork(proof: ForkProof): void
}

export interface Attempt {
  readonly state: State
  readonly isChanged: boolean
  /** Set while the head is not linked to what was known before. */
  readonly isLinked: boolean
}

export class AttemptFailed extends Error {
  /** What counts although the attempt failed: new roots, and floors. */
  readonly kept: Pick<State, 'files' | 'floors'>

  constructor(cause: unknown, kept: Pick<State, 'files' | 'floors'>) {
    super('the attempt failed', { cause })
    this.kept = kept
  }
}

/** @throws AttemptFailed with the reason as its cause */
export async function attemptRefresh(
  deps: AttemptDeps,
  state: State,
  source: MetadataSource,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const store = createMemoryStore(state.files, state.floors)
  const get = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const bytes = await source.get(name, maxBytes, signal)
    signal?.throwIfAborted()
    return bytes
  }
  const trust: TrustDeps = {
    source: { get },
    store,
    nowMs: () => deps.nowMs,
    rules: STRICT,
    acceptExpired: state.trusted.targets === undefined,
    onHead: (timestamp, bytes) => refuseFork(deps, state, timestamp, bytes),
  }
  try {
    const trusted = await refreshTrusted(trust, state.trusted)
    const isSame = trusted === state.trusted
    const isComplete = state.delegated.problems.length === 0
    const delegated =
      isSame && isComplete ? state.delegated : await refreshDelegated(trust, trusted)
    if (isSame && isComplete) {
      return { state: { ...state, floors: store.getFloors() }, isChanged: false, isLinked: true }
    }
    const head = trusted.timestamp
    const isLinked = head === undefined || (await link(deps, state, head, store, get))
    const files = filesOf(store.files(), trusted, delegated)
    const next = stateOf(files, store, trusted, delegated, deps.log)
    return { state: next, isChanged: !isSame || hasMore(state, next), isLinked }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw new AttemptFailed(error, { files: store.files(), floors: store.getFloors() })
  }
}

/** Roles that were missing before may be there now. */
function hasMore(before: State, after: State): boolean {
  return after.delegated.problems.length !== before.delegated.problems.length
}

type Get = (name: string, maxBytes: number) => Promise<Uint8Array | undefined>

async function link(
  deps: AttemptDeps,
  state: State,
  head: TimestampModel,
  store: MemoryStore,
  get: Get,
): Promise<boolean> {
  const { files, conflict, isLinked } = await fillHistory(state.history, head, name =>
    get(name, TIMESTAMP_BYTES_MAX),
  )
  for (const [name, bytes] of files) store.addFile(name, bytes)
  if (conflict !== undefined) {
    deps.onFork(proofOf(conflict, state, conflict.bytes, contentOf(conflict.bytes)))
  }
  return isLinked
}

/** @throws CatalogError `CATALOG_FORKED` */
function refuseFork(
  deps: AttemptDeps,
  state: State,
  timestamp: TimestampModel,
  bytes: Uint8Array,
): void {
  const conflict = findConflict(state.history.values(), timestamp)
  if (conflict === undefined) return
  const proof = proofOf(conflict, state, bytes, timestamp.content)
  const { root, targets } = state.trusted
  if (isSettled(proof, root, targets, STRICT)) return
  deps.onFork(proof)
  throw new CatalogError(
    'CATALOG_FORKED',
    `the origin's key signed two catalogs that contradict each other (${conflict.kind}, version ` +
      `${conflict.version}); this node keeps the one it saw first`,
  )
}

export function proofOf(
  { kind, version, with: link }: Conflict,
  { history }: Pick<State, 'history'>,
  bytes: Uint8Array,
  content: string,
): ForkProof {
  const known: Known | undefined = history.get(link.content)
  return {
    kind,
    version,
    contents: [link.content, content],
    files: [known?.bytes ?? new Uint8Array(), bytes],
  }
}

function contentOf(bytes: Uint8Array): string {
  return [...readHistory(new Map([['timestamp.json', bytes]])).keys()][0] ?? ''
}
