/** Writes small but real OCI image layouts and archives, right or wrong in one chosen way. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pack } from 'tar-stream'

export interface LayoutOptions {
  readonly architecture?: string
  readonly layers?: readonly Uint8Array[]
  readonly volumes?: readonly string[]
  /** Changes the manifest before it is hashed. */
  readonly editManifest?: (manifest: Record<string, unknown>) => unknown
  /** Changes the index before it is written. */
  readonly editIndex?: (index: { manifests: Record<string, unknown>[] }) => unknown
}

export interface WrittenLayout {
  readonly manifest: string
  readonly config: string
  readonly layers: readonly string[]
}

/** Writes a layout with one image into `folder`; returns the digests of its blobs. */
export async function writeLayout(
  folder: string,
  options: LayoutOptions = {},
): Promise<WrittenLayout> {
  const layers = options.layers ?? [await tarOf({ 'etc/motd': Buffer.from('hello\n') })]
  const described = []
  for (const bytes of layers) {
    described.push(await writeBlob(folder, bytes, 'application/vnd.oci.image.layer.v1.tar'))
  }
  const volumes = Object.fromEntries((options.volumes ?? []).map(path => [path, {}]))
  const config = await writeJson(folder, 'application/vnd.oci.image.config.v1+json', {
    architecture: options.architecture ?? 'amd64',
    os: 'linux',
    config: options.volumes === undefined ? {} : { Volumes: volumes },
    rootfs: { type: 'layers', diff_ids: described.map(({ digest }) => digest) },
  })
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = { schemaVersion: 2, mediaType: type, config, layers: described }
  const descriptor = await writeJson(folder, type, options.editManifest?.(manifest) ?? manifest)
  const index = { schemaVersion: 2, manifests: [descriptor] }
  await writeFile(join(folder, 'index.json'), JSON.stringify(options.editIndex?.(index) ?? index))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return {
    manifest: descriptor.digest,
    config: config.digest,
    layers: described.map(({ digest }) => digest),
  }
}

/** Packs a layout folder as `podman save --format oci-archive` does. */
export async function writeArchive(folder: string, path: string): Promise<Buffer> {
  const files: Record<string, Uint8Array> = {}
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const found = entries.filter(entry => entry.isFile()).map(e => join(e.parentPath, e.name))
  for (const file of found.sort()) files[file.slice(folder.length + 1)] = await readFile(file)
  const bytes = await tarOf(files)
  await writeFile(path, bytes)
  return bytes
}

export async function tarOf(
  files: Readonly<Record<string, Uint8Array>>,
  header: { readonly type?: 'symlink' | 'link'; readonly linkname?: string } = {},
): Promise<Buffer> {
  const archive = pack()
  for (const [name, bytes] of Object.entries(files)) {
    archive.entry({ name, ...header }, Buffer.from(bytes))
  }
  archive.finalize()
  const parts: Uint8Array[] = []
  for await (const part of archive) parts.push(part as Uint8Array)
  return Buffer.concat(parts)
}

export function blobFile(folder: string, digest: string): string {
  return join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
}

async function writeJson(folder: string, mediaType: string, value: unknown) {
  return writeBlob(folder, Buffer.from(JSON.stringify(value)), mediaType)
}

async function writeBlob(folder: string, bytes: Uint8Array, mediaType: string) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const path = blobFile(folder, digest)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
  return { mediaType, digest, size: bytes.length }
}
