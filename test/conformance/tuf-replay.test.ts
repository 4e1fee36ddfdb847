/**
 * Replays recorded runs of the official TUF conformance suite.
 * Goal: our verifier ends every step as the suite demands, with exactly the trusted bytes it demands.
 * Method: answer each request from the recording, take `now` from it, compare exit code and stored files.
 */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { CatalogError } from '../../catalog/errors.ts'
import { checkBytes } from '../../catalog/trust/bytes.ts'
import type { TargetEntry } from '../../catalog/trust/document.ts'
import { type Floors, noFloors } from '../../catalog/trust/floors.ts'
import { findTarget } from '../../catalog/trust/lookup.ts'
import { loadTrusted, refreshTrusted, type TrustDeps } from '../../catalog/trust/refresh.ts'
import type { Store } from '../../catalog/trust/store.ts'
import { readVectors } from '../support/vectors.ts'

interface Step {
  readonly cmd: 'init' | 'refresh' | 'download'
  readonly now: string
  readonly root?: string
  readonly targets?: readonly string[]
  readonly http: readonly { path: string; status: number; body?: string }[]
  readonly exit: number
  readonly trusted: Readonly<Record<string, string>>
  readonly downloaded?: readonly string[]
}

interface Recording {
  readonly cases: readonly { name: string; steps: readonly Step[] }[]
  readonly blobs: Readonly<Record<string, string>>
}

const recording = readVectors('tuf-conformance-part.json.gz') as Recording | undefined

if (recording !== undefined) {
  describe('recorded TUF conformance suite', () => {
    it('has all of its cases', () => expect(recording.cases).to.have.length(74))

    for (const { name, steps } of recording.cases) {
      it(name, async () => {
        const client = createClient(recording.blobs)
        for (const [index, step] of steps.entries()) {
          const where = `step ${index} (${step.cmd})`
          const { exit, why } = await client.run(step)
          expect(exit, `${where}: ${why}`).to.equal(step.exit)
          expect(client.trusted(), where).to.deep.equal(step.trusted)
          if (step.downloaded) expect(client.downloaded(), where).to.deep.equal(step.downloaded)
          expect(client.surprises, `${where}: asked for what the suite never asked for`).to.be.empty
        }
      })
    }
  })
}

/** A client with the memory of one metadata folder and one download folder. */
function createClient(blobs: Readonly<Record<string, string>>) {
  const files = new Map<string, Uint8Array>()
  const downloads = new Map<string, Uint8Array>()
  const surprises: string[] = []
  let embedded: Uint8Array = new Uint8Array()
  let newestRoot = embedded
  let floors: Floors = noFloors
  const store: Store = {
    get: (role, version) => files.get(role === 'root' ? `${version}.root` : role),
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
        download(step, path, hit.target)
      }
      return { exit: 0, why: '' }
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error
      return { exit: 1, why: error.message }
    }
  }

  function download(step: Step, path: string, target: TargetEntry): void {
    const { length } = target
    const expected = { length, hashes: new Map(Object.entries(target.hashes)), blake3: undefined }
    const kept = downloads.get(path)
    if (kept !== undefined && matches(() => checkBytes(path, expected, kept))) return
    const slash = path.lastIndexOf('/') + 1
    const names = Object.values(target.hashes).map(
      hash => `T/${path.slice(0, slash)}${hash}.${path.slice(slash)}`,
    )
    const name = names.find(candidate => step.http.some(request => request.path === candidate))
    const bytes = answer(step, name ?? names[0] ?? '') ?? new Uint8Array()
    checkBytes(path, expected, bytes)
    downloads.set(path, bytes)
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

function idOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24)
}

function matches(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    // A kept download of older content does not match the new description; it is fetched again.
    return false
  }
}
