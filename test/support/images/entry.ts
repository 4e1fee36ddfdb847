/** What a layer of an image holds, as data, and the order in which it is written. Pure. */

interface Owned {
  /** Without a leading slash, for example `usr/bin/busybox`. */
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface FileEntry extends Owned {
  readonly kind: 'file'
  readonly sizeBytes: number
  open(): AsyncIterable<Uint8Array>
}

export interface FolderEntry extends Owned {
  readonly kind: 'folder'
}

export interface LinkEntry {
  readonly kind: 'link'
  readonly path: string
  readonly target: string
}

export type LayerEntry = FileEntry | FolderEntry | LinkEntry

interface Ownership {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

/** A file whose content is given; owned by root, mode 0644, when nothing else is said. */
export function fileOf(
  path: string,
  content: string | Uint8Array,
  owner: Ownership = {},
): FileEntry {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  return {
    kind: 'file',
    path,
    mode: owner.mode ?? 0o644,
    uid: owner.uid ?? 0,
    gid: owner.gid ?? 0,
    sizeBytes: bytes.length,
    async *open() {
      yield bytes
    },
  }
}

export function folderOf(path: string, owner: Ownership = {}): FolderEntry {
  return {
    kind: 'folder',
    path,
    mode: owner.mode ?? 0o755,
    uid: owner.uid ?? 0,
    gid: owner.gid ?? 0,
  }
}

export function linkOf(path: string, target: string): LinkEntry {
  return { kind: 'link', path, target }
}

/**
 * The entries in the order in which they are written: sorted by the bytes of the path, every parent folder before its
 * content. Folders that neither the layer nor those below it (`below`) name are added, owned by root, mode 0755; a
 * folder that is below is not named again, because that would change its mode.
 * @throws Error when a path is absolute, climbs, or is named twice.
 */
export function arrangeLayer(
  entries: readonly LayerEntry[],
  below: ReadonlySet<string> = new Set(),
): readonly LayerEntry[] {
  const arranged = new Map<string, LayerEntry>()
  for (const entry of entries) {
    const parts = entry.path.split('/')
    if (parts.some(part => part === '' || part === '.' || part === '..')) {
      throw new Error(`a layer cannot hold the path ${JSON.stringify(entry.path)}`)
    }
    if (arranged.has(entry.path)) throw new Error(`${entry.path} is in the layer twice`)
    arranged.set(entry.path, entry)
  }
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (!arranged.has(parent) && !below.has(parent)) arranged.set(parent, folderOf(parent))
    }
  }
  return [...arranged.values()].sort((a, b) => Buffer.compare(bytesOf(a.path), bytesOf(b.path)))
}

function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'utf8')
}
