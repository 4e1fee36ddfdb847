/** Whom the catalog may ask: every origin by itself, then the peers that are connected. */
import type { CatalogDeps, MetadataSource } from '../catalog/index.ts'
import type { CatalogRelay } from '../swarm/index.ts'
import { codeOf } from './core/errors.ts'
import { createHttpMetadataSource } from './http/metadata-source.ts'

export interface CatalogSources extends Required<Pick<CatalogDeps, 'sources' | 'onRefused'>> {
  /** Peers can be asked from now on. */
  use(relay: CatalogRelay | undefined): void
  relay(): CatalogRelay | undefined
  /** One peer as a source. */
  peer(peerId: string): MetadataSource
}

/** What says nothing against a peer: it is behind, or away. */
const HARMLESS = new Set([
  'VERSION_ROLLBACK',
  'METADATA_EXPIRED',
  'METADATA_MISSING',
  'METADATA_UNREACHABLE',
])

/** `originUrls` end in a slash, in order of preference. */
export function createCatalogSources(originUrls: readonly string[]): CatalogSources {
  const origins = originUrls.map(createHttpMetadataSource)
  let relay: CatalogRelay | undefined
  const peer = (peerId: string): MetadataSource => ({
    name: peerId,
    kind: 'peer',
    get: async (name, maxBytes, signal) => await relay?.get(peerId, name, maxBytes, signal),
  })
  return {
    peer,
    relay: () => relay,
    use(value) {
      relay = value
    },
    sources() {
      const known = (relay?.peers() ?? []).filter(({ head }) => head !== undefined)
      // The sort is stable: peers that gave a wrong catalog lately stay behind those with the same claim.
      const newest = [...known].sort((a, b) => rankOf(b.head) - rankOf(a.head))
      return [...origins, ...newest.map(({ peerId }) => peer(peerId))]
    },
    onRefused(source, error) {
      if (source.kind === 'peer' && !HARMLESS.has(codeOf(error) ?? '')) relay?.lower(source.name)
    },
  }
}

function rankOf(head: { readonly timestamp: number } | undefined): number {
  return head?.timestamp ?? 0
}
