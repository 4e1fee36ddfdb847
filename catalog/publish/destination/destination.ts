/** A place that serves an origin: the port that a folder and a bucket fill, and the order in which files go there. */

/** `catalog/timestamp.json`, `blobs/blake3/ab/cd/<hex>`: as in the public part of an origin folder. */
export type PublicName = string

export type Upload =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string; readonly size: number }

export interface Destination {
  /** For people: a folder, or `s3://bucket/prefix`. */
  readonly name: string
  /** Sizes by name of everything below a folder such as `catalog/`. */
  list(folder: PublicName, signal?: AbortSignal): Promise<ReadonlyMap<PublicName, number>>
  /** `undefined` when it is not there. */
  get(name: PublicName, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** Readers see the old file or the new one, never a part. */
  put(name: PublicName, upload: Upload, signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Files under names that never get other content may be kept by every cache on the way. */
export function isImmutable(name: PublicName): boolean {
  return name.startsWith('blobs/') || /^catalog\/\d+\.[a-z0-9-]+\.json$/.test(name)
}

export function cacheControlOf(name: PublicName): string {
  return isImmutable(name) ? 'public, max-age=31536000, immutable' : 'no-cache'
}

export function contentTypeOf(name: PublicName): string {
  return name.endsWith('.json') ? 'application/json' : 'application/octet-stream'
}

/** Where a publisher's file stands alone. */
export function feedName(id: string): PublicName {
  return `feeds/${id}.json`
}
