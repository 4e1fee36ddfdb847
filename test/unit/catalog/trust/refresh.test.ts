import { expect } from 'chai'
import { createMemoryStore } from '../../../../catalog/cache.ts'
import { noFloors } from '../../../../catalog/trust/floors.ts'
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../../../catalog/trust/limits.ts'
import { loadTrusted } from '../../../../catalog/trust/load.ts'
import { refreshTrusted } from '../../../../catalog/trust/refresh.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import {
  createSignedOrigin,
  type SetOptions,
  START_MS,
} from '../../../support/catalog/signed-origin.ts'

/** Refreshes from an origin whose answers may be replaced; says the code, and how many bytes each file was asked for with. */
async function refresh(options: SetOptions, answers: Record<string, Uint8Array> = {}, root = 1) {
  const origin = createSignedOrigin()
  origin.publishSet(1, options)
  const store = createMemoryStore(new Map(), { ...noFloors, root })
  const asked = new Map<string, number>()
  const source = {
    async get(name: string, maxBytes: number) {
      asked.set(name, maxBytes)
      return answers[name] ?? origin.files.get(name)
    },
  }
  const rules = { strict: false }
  const embedded = origin.files.get('1.root.json') ?? new Uint8Array()
  const deps = { source, store, rules, nowMs: () => START_MS }
  const code = await refreshTrusted(deps, loadTrusted(store, embedded, rules)).then(
    () => undefined,
    error => codeOf(error) ?? String(error),
  )
  return { code, asked, files: origin.files }
}

const listing = (length: number) => ({
  extra: { timestamp: { meta: { 'snapshot.json': { version: 1, length } } } },
})

describe('what is asked of a source', () => {
  it('is no more than the bound of the file, or the length that its parent signed', async () => {
    const { code, asked, files } = await refresh({})
    expect(code).to.equal(undefined)
    expect(asked.get('timestamp.json')).to.equal(TIMESTAMP_BYTES_MAX)
    for (const name of ['1.snapshot.json', '1.targets.json']) {
      expect(asked.get(name)).to.equal(files.get(name)?.length)
    }
  })
  it('is the bound where the parent signed no length', async () => {
    const meta = { 'snapshot.json': { version: 1 } }
    const { code, asked } = await refresh({ extra: { timestamp: { meta } } })
    expect(code).to.equal(undefined)
    expect(asked.get('1.snapshot.json')).to.equal(SNAPSHOT_BYTES_MAX)
  })
  it('is nothing when the signed length is above the bound', async () => {
    const most = await refresh(listing(SNAPSHOT_BYTES_MAX))
    expect(most.code).to.equal('LENGTH_MISMATCH')
    const more = await refresh(listing(SNAPSHOT_BYTES_MAX + 1))
    expect(more.code).to.equal('METADATA_TOO_LARGE')
    expect(more.asked.has('1.snapshot.json')).to.equal(false)
  })
  it('is not taken when the source gives more, whatever it is', async () => {
    const { files } = await refresh({})
    const snapshot = files.get('1.snapshot.json') ?? new Uint8Array()
    const long = Buffer.concat([snapshot, Buffer.from(' ')])
    const { code } = await refresh(listing(snapshot.length - 1), { '1.snapshot.json': long })
    expect(code).to.equal('METADATA_TOO_LARGE')
  })
  it('is refused when its newest root is older than one that this node has seen', async () => {
    expect((await refresh({}, {}, 1)).code).to.equal(undefined)
    expect((await refresh({}, {}, 2)).code).to.equal('VERSION_ROLLBACK')
  })
})
