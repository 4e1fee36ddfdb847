/** The peers that are connected and have said HELLO: one link each, found by peer id. */
import type { Log } from '../../src/core/log.ts'
import type { Channel } from '../network.ts'
import type { PeerDirectory } from '../transfer/sources.ts'
import { type LinkDeps, type LinkEvents, PeerLink } from './link.ts'

type Listener = Parameters<PeerDirectory['onChange']>[0]

export class Directory implements PeerDirectory {
  readonly #deps: LinkDeps & { readonly log: Log }
  readonly #ownPeerId: string
  readonly #links = new Map<string, PeerLink>()
  readonly #listeners = new Set<Listener>()

  /** What a peer asks or says of who else has a release. */
  onPeers: LinkEvents['onPeers'] = () => {}

  constructor(deps: LinkDeps, ownPeerId: string) {
    this.#deps = deps
    this.#ownPeerId = ownPeerId
  }

  list(): readonly PeerLink[] {
    return [...this.#links.values()]
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes over a new channel. */
  accept(channel: Channel): void {
    new PeerLink(this.#deps, channel, {
      onReady: link => this.#add(link),
      onPeers: (link, message) => this.onPeers(link, message),
      onClosed: link => this.#remove(link),
    }).open()
  }

  /** Tells every peer that nothing more comes, and closes. */
  async closeAll(): Promise<void> {
    await Promise.all(this.list().map(link => link.closeGently()))
  }

  /** When both sides connected at once, both keep the stream that the smaller peer id opened. */
  #add(link: PeerLink): void {
    const old = this.#links.get(link.peerId)
    if (old !== undefined && this.#isPreferred(old) && !this.#isPreferred(link)) {
      link.close()
      return
    }
    this.#links.set(link.peerId, link)
    if (old !== undefined) {
      old.close()
      this.#tell('left', old)
    }
    const { peerId: peer, address } = link
    this.#deps.log.info('peer connected', { peer, address })
    this.#tell('joined', link)
  }

  #isPreferred(link: PeerLink): boolean {
    return link.openedByUs === this.#ownPeerId < link.peerId
  }

  #remove(link: PeerLink): void {
    if (this.#links.get(link.peerId) !== link) return
    this.#links.delete(link.peerId)
    this.#deps.log.info('peer left', { peer: link.peerId })
    this.#tell('left', link)
  }

  #tell(change: 'joined' | 'left', link: PeerLink): void {
    for (const listener of [...this.#listeners]) listener(change, link)
  }
}
