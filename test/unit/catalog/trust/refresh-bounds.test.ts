/** Refreshing from a source: how much is asked for, what is refused before it is looked at, and roots that go back. */
import { expect } from 'chai'
import { createMemoryStore } from '../../../../catalog/cache.ts'
import { type Floors, noFloors } from '../../../../catalog/trust/floors.ts'
import { loadTrusted } from '../../../../catalog/trust/load.ts'
import { refreshTrusted } from '../../../../catalog/trust/refresh.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import { createSignedOrigin, START_MS } from '../../../support/catalog/signed-origin.ts'

const rules = { strict: true }

describe('a refresh', () => {
  const origin = createSignedOrigin()
  origin.publishSet(1)
  const firstRoot = origin.files.get('1.root.json') ?? new Uint8Array()

  /** What it refuses with, and how many bytes it asked for of each file. */
  async function refresh(changed: ReadonlyMap<string, Uint8Array>, floors: Floors = noFloors) {
    const asked = new Map<string, number>()
    const get = async (name: string, maxBytes: number) => {
      asked.set(name, maxBytes)
      return changed.get(name) ?? origin.files.get(name)
    }
    const store = createMemoryStore(new Map(), floors)
    const deps = { source: { get }, store, nowMs: () => START_MS, rules }
    try {
      await refreshTrusted(deps, loadTrusted(store, firstRoot, rules))
      return { asked, code: undefined }
    } catch (error) {
      return { asked, code: codeOf(error) }
    }
  }

  it('asks for as many bytes as the signed parent says', async () => {
    const { asked, code } = await refresh(new Map())
    expect(code).to.equal(undefined)
    for (const name of ['1.snapshot.json', '1.targets.json']) {
      expect(asked.get(name), name).to.equal(origin.files.get(name)?.length)
    }
  })
  it('refuses more bytes than it asked for, whatever they are', async () => {
    const snapshot = origin.files.get('1.snapshot.json') ?? new Uint8Array()
    const longer = Buffer.concat([snapshot, Buffer.from(' ')])
    const { code } = await refresh(new Map([['1.snapshot.json', longer]]))
    expect(code).to.equal('METADATA_TOO_LARGE')
  })
  it('refuses an origin whose newest root is older than one it has seen', async () => {
    const { code } = await refresh(new Map(), { ...noFloors, root: 2 })
    expect(code).to.equal('VERSION_ROLLBACK')
  })
})
