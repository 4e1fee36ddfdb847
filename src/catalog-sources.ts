/** Whom the catalog may ask: every origin by itself, then the peers that are connected. */
import type { CatalogDeps, HeadClaim, MetadataSource } from '../catalog/index.ts'
import type { CatalogRelay } from '../swarm/index.ts'
import { codeOf } from './core/errors.ts'
import { shuffled } from './core/shuffled.ts'
import { createHttpMetadataSource } from './http/metadata-source.ts'

export interface CatalogSources extends Required<Pick<CatalogDeps, 'sources' | 'onRefused'>> {
  /** Peers can be asked from now on. `head`: what this node has by then. */
  use(relay: CatalogRelay, head: () => HeadClaim | undefined): void
  relay(): CatalogRelay | undefined
  /** One peer as a source; one that does not give what it claims is asked last from then on. */
  peer(peerId: string): MetadataSource
}

/** What says nothing against a peer that claimed nothing newer: it is behind, or away. */
const HARMLESS = new Set([
  'VERSION_ROLLBACK',
  'METADATA_EXPIRED',
  'METADATA_MISSING',
  'METADATA_UNREACHABLE',
  'PEER_LEFT',
])

/** First those that claim the most; whoever comes behind them comes by chance: a claim costs a liar nothing. */
const CLAIM_PLACES = 5

/** `originUrls` end in a slash, in order of preference. `random` gives numbers in [0, 1). */
export function createCatalogSources(
  originUrls: readonly string[],
  random: () => number,
): CatalogSources {
  const live = new LiveSources(originUrls.map(createHttpMetadataSource), random)
  // Plain functions: the catalog is given them among its other dependencies, and a spread takes no methods.
  return {
    use: (relay, head) => live.use(relay, head),
    relay: () => live.relay(),
    peer: peerId => live.peer(peerId),
    sources: () => live.sources(),
    onRefused: (source, error) => live.onRefused(source, error),
  }
}

class LiveSources implements CatalogSources {
  readonly #origins: readonly MetadataSource[]
  readonly #random: () => number
  #relay: CatalogRelay | undefined
  #head: () => HeadClaim | undefined = () => undefined

  constructor(origins: readonly MetadataSource[], random: () => number) {
    this.#origins = origins
    this.#random = random
  }

  use(relay: CatalogRelay, head: () => HeadClaim | undefined): void {
    this.#relay = relay
    this.#head = head
  }

  relay(): CatalogRelay | undefined {
    return this.#relay
  }

  peer(peerId: string): MetadataSource {
    const claim = this.#relay?.peers().find(peer => peer.peerId === peerId)?.head
    return {
      name: peerId,
      kind: 'peer',
      ...(claim && { claim }),
      get: async (name, maxBytes, signal) => {
        const bytes = await this.#relay?.get(peerId, name, maxBytes, signal)
        const isBroken = name === 'timestamp.json' && versionIn(bytes) < (claim?.timestamp ?? 0)
        if (isBroken) this.#relay?.lower(peerId)
        return bytes
      },
    }
  }

  sources(): readonly MetadataSource[] {
    const known = (this.#relay?.peers() ?? []).filter(({ head }) => head !== undefined)
    const mixed = shuffled(known, this.#random)
    const believed = mixed.filter(({ isLowered }) => !isLowered)
    const newest = [...believed]
      .sort((a, b) => (b.head?.timestamp ?? 0) - (a.head?.timestamp ?? 0))
      .slice(0, CLAIM_PLACES)
    const others = believed.filter(peer => !newest.includes(peer))
    const lowered = mixed.filter(({ isLowered }) => isLowered)
    const peers = [...newest, ...others, ...lowered]
    return [...this.#origins, ...peers.map(({ peerId }) => this.peer(peerId))]
  }

  onRefused({ kind, name, claim }: MetadataSource, error: unknown): void {
    if (kind !== 'peer') return
    if (HARMLESS.has(codeOf(error) ?? '') && !this.#isNewer(claim)) return
    this.#relay?.lower(name)
  }

  #isNewer(claim: HeadClaim | undefined): boolean {
    if (claim === undefined) return false
    const head = this.#head()
    return claim.timestamp > (head?.timestamp ?? 0) || claim.root > (head?.root ?? 0)
  }
}

/** Unverified: enough to see that a peer does not even pretend to have what it claims. */
function versionIn(timestamp: Uint8Array | undefined): number {
  if (timestamp === undefined) return 0
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(timestamp).toString('utf8'))
  } catch {
    /* Not even JSON: it bears out nothing, and the verifier says the rest. */
    return 0
  }
  const signed = memberOf(document, 'signed')
  const version = memberOf(signed, 'version')
  return typeof version === 'number' ? version : 0
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
