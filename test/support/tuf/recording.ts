/** Recorded runs of the official TUF conformance suite, and the client that replays them against our verifier. */
import { createHash } from 'node:crypto'
import { CatalogError } from '../../../catalog/errors.ts'
import { type Floors, noFloors } from '../../../catalog/trust/floors.ts'
import { loadTrusted } from '../../../catalog/trust/load.ts'
import { findTarget } from '../../../catalog/trust/lookup.ts'
import { refreshTrusted, type TrustDeps } from '../../../catalog/trust/refresh.ts'
import type { Store } from '../../../catalog/trust/store.ts'
import { isTarget, targetNames } from './target-files.ts'

export interface Step {
  readonly cmd: 'init' | 'refresh' | 'download'
  readonly now: string
  readonly root?: string
  readonly targets?: readonly string[]
  readonly http: readonly { path: string; status: number; body?: string }[]
  readonly exit: number
  readonly trusted: Readonly<Record<string, string>>
  readonly downloaded?: readonly string[]
}

export interface RecordedCase {
  readonly name: string
  readonly steps: readonly Step[]
}

export interface Recording {
  readonly cases: readonly RecordedCase[]
  readonly blobs: Readonly<Record<string, string>>
}

/** Runs every step of a case; returns one line for each way in which our client ended otherwise than the suite demands. */
export async function replayCase(
  { steps }: RecordedCase,
  blobs: Recording['blobs'],
): Promise<readonly string[]> {
  const client = createClient(blobs)
  const problems: string[] = []
  for (const [index, step] of steps.entries()) {
    const { exit, why } = await client.run(step)
    const differ = (what: string, found: unknown, wanted: unknown): void => {
      if (JSON.stringify(found) === JSON.stringify(wanted)) return
      const where = `step ${index} (${step.cmd})`
      problems.push(
        `${where}: ${what} ${JSON.stringify(found)}, not ${JSON.stringify(wanted)} ${why}`,
      )
    }
    differ('exit code', exit, step.exit)
    differ('trusted files', sorted(client.trusted()), sorted(step.trusted))
    if (step.downloaded) differ('downloads', client.downloaded(), [...step.downloaded].sort())
    differ('asked for what the suite never asked for:', client.surprises, [])
  }
  return problems
}

/** How the recording names content. */
export function idOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24)
}

function sorted(files: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A client with the memory of one metadata folder and one download folder. */
function createClient(blobs: Recording['blobs']) {
  const files = new Map<string, Uint8Array>()
  const downloads = new Map<string, Uint8Array>()
  const surprises: string[] = []
  let embedded: Uint8Array = new Uint8Array()
  let newestRoot = embedded
  let floors: Floors = noFloors
  const store: Store = {
    get: (role, version) => files.get(role === 'root' ? `${version}.root` : role),
    versions: () => [],
    set(role, version, bytes) {
      if (role === 'root') newestRoot = bytes
      files.set(role === 'root' ? `${version}.root` : role, bytes)
    },
    getFloors: () => floors,
    setFloors(value) {
      floors = value
    },
  }
  const bodyOf = (id: string) => Buffer.from(blobs[id] ?? '', 'base64')
  const answer = (step: Step, path: string): Uint8Array | undefined => {
    const recorded = step.http.find(request => request.path === path)
    if (recorded === undefined) surprises.push(path)
    return recorded?.body === undefined ? undefined : bodyOf(recorded.body)
  }

  async function run(step: Step): Promise<{ exit: number; why: string }> {
    if (step.cmd === 'init') {
      embedded = bodyOf(step.root ?? '')
      newestRoot = embedded
      return { exit: 0, why: '' }
    }
    const deps: TrustDeps = {
      source: { get: async name => answer(step, `M/${name}`) },
      store,
      nowMs: () => Date.parse(step.now),
      rules: { strict: false },
    }
    try {
      const trusted = await refreshTrusted(deps, loadTrusted(store, embedded, deps.rules))
      for (const path of step.targets ?? []) {
        const hit = await findTarget(deps, trusted, path)
        if (hit === undefined) return { exit: 1, why: `no target ${path}` }
        const kept = downloads.get(path)
        if (kept !== undefined && isTarget(path, hit.target, kept)) continue
        const names = targetNames(path, hit.target).map(name => `T/${name}`)
        const name = names.find(each => step.http.some(request => request.path === each))
        const bytes = answer(step, name ?? names[0] ?? '')
        if (bytes === undefined || !isTarget(path, hit.target, bytes)) {
          return { exit: 1, why: `the bytes of ${path} are not the signed ones` }
        }
        downloads.set(path, bytes)
      }
      return { exit: 0, why: '' }
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error
      return { exit: 1, why: error.message }
    }
  }

  return {
    run,
    surprises,
    downloaded: () => [...downloads.values()].map(idOf).sort(),
    trusted() {
      const current = [...files].filter(([role]) => !role.endsWith('.root'))
      const named = current.map(([role, bytes]) => [
        `${encodeURIComponent(role)}.json`,
        idOf(bytes),
      ])
      return Object.fromEntries([...named, ['root.json', idOf(newestRoot)]])
    },
  }
}
