/** What the gate expects of each app in `fixtures/apps`: a new app is one more entry, and the compiler asks for it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAuthorManifest } from '../../catalog/manifest/parse.ts'
import type { AuthorManifest } from '../../catalog/manifest/schema.ts'
import { durationMs } from '../../catalog/manifest/values.ts'
import type { AppName } from '../support/images/index.ts'

interface Expectation {
  /** Where it comes to rest when its owner wants it to run. */
  readonly rests: 'running' | 'unhealthy' | 'failed'
  /** What one that does not run well says of itself. */
  readonly says?: RegExp
  /** What is noted of it when it was stopped. */
  readonly stopNote?: RegExp
  /** Where its notes are written (POST) and read (GET); an app without keeps no data of its user. */
  readonly notes?: string
  /** Where its page shows the release that it is of, for apps that serve files. */
  readonly release?: string
}

const BOX = { rests: 'running', notes: '/cgi-bin/notes', release: '/release' } as const

/** A folder that is another version of an app says of which. */
const EXPECTED: Readonly<Record<AppName, Expectation | 'version'>> = {
  'hello-web': { rests: 'running', release: '/release' },
  'hello-web-2': 'version',
  notes: { rests: 'running', notes: '/notes' },
  stubborn: { ...BOX, stopNote: /killed/ },
  'slow-start': BOX,
  'crash-loop': { rests: 'failed', says: /ended \d+ times|failed/ },
  'wrong-port': { rests: 'unhealthy', says: /not healthy/ },
  migration: BOX,
  'needs-notes': { ...BOX, notes: '/cgi-bin/relay' },
  seven: { rests: 'running', notes: '/cgi-bin/relay', release: '/release' },
}

export interface GateApp extends Expectation {
  readonly id: string
  readonly folder: AppName
  readonly manifest: AuthorManifest
  /** The component behind its page, and the port of the page. */
  readonly front: string
  readonly port: number
  readonly path: string
  /** Names of the containers that there are while it runs. */
  readonly containers: readonly string[]
  /** The longest that all its components may take to end, one after the other. */
  readonly graceMs: number
  /** Apps that must be there before it can be installed. */
  readonly needs: readonly string[]
}

/** The app that is updated while others are stopped; it is always among those of a run. */
export const COMPANION = 'hello-web'

/**
 * The apps of a run: those asked for by id, or all.
 * @throws Error naming an id that is no app of `fixtures/apps`.
 */
export async function gateApps(
  folders: Readonly<Record<AppName, string>>,
  wanted: readonly string[],
): Promise<readonly GateApp[]> {
  const all: GateApp[] = []
  for (const [name, expected] of Object.entries(EXPECTED)) {
    if (expected === 'version') continue
    const folder = name as AppName
    const path = join(folders[folder], 'archy.yaml')
    all.push(gateApp(folder, parseAuthorManifest(await readFile(path, 'utf8'), path), expected))
  }
  const ids = all.map(({ id }) => id)
  const unknown = wanted.filter(id => !ids.includes(id))
  if (unknown.length > 0) {
    throw new Error(`no app ${unknown.join(', ')} in fixtures/apps; there is: ${ids.join(', ')}`)
  }
  const chosen = new Set(wanted.length === 0 ? ids : [...wanted, COMPANION])
  for (const id of chosen) {
    for (const need of all.find(app => app.id === id)?.needs ?? []) chosen.add(need)
  }
  return all.filter(({ id }) => chosen.has(id))
}

function gateApp(folder: AppName, manifest: AuthorManifest, expected: Expectation): GateApp {
  const [page] = manifest.interfaces
  if (page === undefined) throw new Error(`${manifest.id} has no interface to look at`)
  const components = Object.entries(manifest.components)
  const services = components.filter(([, { role }]) => role === 'service')
  return {
    ...expected,
    ...{ folder, manifest, id: manifest.id },
    ...{ front: page.component, port: page.port, path: page.path },
    containers: services.map(([name]) => `app-${manifest.id}_${name}`).sort(),
    needs: Object.values(manifest.needs).map(({ app }) => app),
    graceMs: services.reduce((sum, [, { stop }]) => sum + durationMs(stop.grace), 0),
  }
}
