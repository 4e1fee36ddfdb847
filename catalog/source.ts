/** Where catalog files come from: the origin over HTTP, a folder, a peer. None of them is trusted with anything. */

/** What a source says its newest documents are. Nothing of it is proven. */
export interface HeadClaim {
  readonly root: number
  readonly timestamp: number
  /** SHA-256 (hex) of the signed part of the timestamp: equal for two signings of one content. */
  readonly content: string
}

export interface MetadataSource {
  /** For people and logs: a URL, a folder, a peer id. */
  readonly name: string
  readonly kind: 'origin' | 'peer' | 'folder'
  /** Absent: ask it to find out. */
  readonly claim?: HeadClaim
  /**
   * A file by its name, such as `timestamp.json`.
   * @returns `undefined` when the source says that it is not there
   * @throws anything when the source cannot be reached; at most `maxBytes` are read
   */
  get(name: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** The time that the source's last answer stated under TLS, milliseconds since the epoch. */
  clockMs?(): number | undefined
}
