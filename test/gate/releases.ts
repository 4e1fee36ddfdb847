/** The publisher of the gate: brings out good and bad releases of all its apps at once, each with a layer of its own. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { addApp, initOrigin, publishOrigin } from '../../catalog/publish/index.ts'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { arrangeLayer, fileOf } from '../support/images/entry.ts'
import { writeLayer } from '../support/images/layer.ts'
import { readLayout, writeLayout } from '../support/images/layout.ts'
import type { GateApp } from './apps.ts'

const PORT = 8040
/** Ends with status 1 at once; a check that never passes, and soon has had its time. */
const CRASHING = ['/usr/bin/busybox', 'false']
const NEVER_HEALTHY = {
  exec: ['/usr/bin/busybox', 'false'],
  interval: '2s',
  timeout: '2s',
  failures: 2,
  startBudget: '5s',
}

interface Place {
  /** A folder that goes with the lab. */
  readonly folder: string
  readonly host: string
  /** Where the apps were built. */
  readonly folders: Readonly<Record<string, string>>
}

export class Releases {
  readonly url: string
  readonly rootFile: string
  readonly #place: Place
  readonly #origin: string
  readonly #server: OriginServer
  readonly #versions = new Map<string, number>()

  private constructor(place: Place, origin: string, server: OriginServer) {
    this.#place = place
    this.#origin = origin
    this.#server = server
    this.url = server.url
    this.rootFile = join(origin, 'public/catalog/1.root.json')
  }

  static async open(place: Place): Promise<Releases> {
    const origin = join(place.folder, 'origin')
    await initOrigin(origin, { nowMs: Date.now() })
    const { host } = place
    const options = { host, port: PORT, log: silentLog }
    return new Releases(place, origin, await serveOrigin(join(origin, 'public'), options))
  }

  /** The newest version of the app that was published. */
  newest(app: GateApp): string {
    return `${this.#versions.get(app.id) ?? 0}.0.0`
  }

  /** Publishes the next version of each app; a bad one never gets healthy. */
  async publish(apps: readonly GateApp[], kind: 'good' | 'bad'): Promise<void> {
    for (const app of apps) {
      this.#versions.set(app.id, (this.#versions.get(app.id) ?? 0) + 1)
      await addApp(this.#origin, await this.#make(app, kind))
    }
    await publishOrigin(this.#origin, { nowMs: Date.now() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close()
  }

  /** The app folder, with the next version in its manifest and in the image of its front. */
  async #make(app: GateApp, kind: 'good' | 'bad'): Promise<string> {
    const version = this.newest(app)
    const from = this.#place.folders[app.folder] ?? ''
    const folder = join(this.#place.folder, 'apps', app.id)
    await rm(folder, { recursive: true, force: true })
    await cp(from, folder, { recursive: true })
    const manifest = parseDocument(await readFile(join(from, 'archy.yaml'), 'utf8'))
    manifest.setIn(['version'], version)
    if (kind === 'bad') spoil(manifest, app)
    await writeFile(join(folder, 'archy.yaml'), manifest.toString())
    await this.#addLayer(from, folder, app, version)
    return folder
  }

  async #addLayer(from: string, folder: string, app: GateApp, version: string): Promise<void> {
    const key = app.manifest.components[app.front]?.image ?? ''
    const below = await readLayout(join(from, 'images', key))
    const release = [fileOf('srv/www/release', `${version}\n`)]
    const layers = join(this.#place.folder, 'layers')
    const layer = await writeLayer(layers, arrangeLayer(release, new Set(['srv', 'srv/www'])))
    await rm(join(folder, 'images', key), { recursive: true })
    await writeLayout(join(folder, 'images', key), {
      architecture: 'amd64',
      run: below.run,
      layers: [...below.layers, layer],
      refName: `${app.id}-${key}`,
    })
  }
}

/** An app whose page has a check of its own inside the container gets one that crashes, the others one that does not get healthy. */
function spoil(manifest: Document, { front, manifest: { components } }: GateApp): void {
  if (components[front]?.health?.exec === undefined) {
    manifest.setIn(['components', front, 'health'], NEVER_HEALTHY)
  } else manifest.setIn(['components', front, 'entrypoint'], CRASHING)
}
