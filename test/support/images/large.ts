/** Makes an app folder of any size for tests of downloads: hello-web with a layer of bytes that do not compress. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppFolders } from './build.ts'
import { arrangeLayer, type FileEntry } from './entry.ts'
import { writeLayer } from './layer.ts'
import { type ImageDigests, readLayout, writeLayout } from './layout.ts'
import { randomBytesOf } from './random-bytes.ts'

const MIB = 1024 * 1024

export interface LargeAppOptions {
  /** Size of the additional layer. */
  readonly mib: number
  /** The same seed gives the same bytes. */
  readonly seed: string
  readonly id: string
  readonly version?: string
  /** Not that of `hello-web`, so that both can run on one node. */
  readonly hostPort?: number
  readonly apps: AppFolders
}

export interface LargeApp {
  readonly folder: string
  readonly image: ImageDigests
  /** `sha256:<hex>` and size of the large layer. */
  readonly layer: { readonly digest: string; readonly sizeBytes: number }
}

/** Writes the app to `folder`, which must not exist; it runs like `hello-web` where `apps` are runnable. */
export async function buildLargeApp(folder: string, options: LargeAppOptions): Promise<LargeApp> {
  const { mib, seed, id, version = '1.0.0', hostPort = 8090, apps } = options
  const below = await readLayout(join(apps.folders['hello-web'], 'images/web'))
  const payload: FileEntry = {
    kind: 'file',
    path: 'srv/payload',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: mib * MIB,
    open: () => randomBytesOf(seed, mib * MIB),
  }
  await mkdir(folder, { recursive: true })
  const layer = await writeLayer(folder, arrangeLayer([payload], new Set(['srv'])))
  const image = await writeLayout(join(folder, 'images/web'), {
    architecture: 'amd64',
    run: below.run,
    layers: [...below.layers, layer],
    refName: id,
  })
  await rm(layer.path)
  await writeFile(join(folder, 'archy.yaml'), manifestText(id, version, hostPort))
  return { folder, image, layer: { digest: layer.digest, sizeBytes: layer.sizeBytes } }
}

function manifestText(id: string, version: string, hostPort: number): string {
  return `apiVersion: archy.app/v1
id: ${id}
version: "${version}"
title: Large ${id}
images:
  web: { oci: images/web, platforms: [amd64] }
components:
  web:
    image: web
    user: { uid: 999, gid: 999 }
    ports:
      - { container: 8080, host: ${hostPort} }
    health:
      http: { port: ${hostPort}, path: /version }
      startBudget: 1m
    stop: { signal: SIGTERM, grace: 5s }
    security:
      readOnlyRoot: true
interfaces:
  - { id: page, title: Page, component: web, port: ${hostPort} }
`
}
