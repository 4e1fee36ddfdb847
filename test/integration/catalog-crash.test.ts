/** Checks what a catalog is after its process was killed at each write of a refresh. Real processes, real SIGKILL. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCatalog } from '../../catalog/client.ts'
import { parseFloors } from '../../catalog/floors-file.ts'
import { silentLog } from '../../src/core/log.ts'
import {
  createSignedOrigin,
  DAY_MS,
  makeKey,
  type RootOptions,
  type SignedOrigin,
  START_MS,
} from '../support/catalog/signed-origin.ts'

const PROCESS = join(import.meta.dirname, '../support/catalog/refresh-process.ts')
const NOW_MS = START_MS + DAY_MS
/** A refresh of this size has about twenty writes; a walk that does not end is a defect. */
const STEP_COUNT_MAX = 200
const clock = { nowMs: () => NOW_MS, monotonicMs: () => NOW_MS, sleep: async () => {} }

describe('catalog client, killed', () => {
  let base: string
  let origin: SignedOrigin

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'archy-catalog-crash-'))
    origin = createSignedOrigin()
    origin.publishSet(1)
  })
  afterEach(() => rm(base, { recursive: true, force: true }))

  function open(folder: string, source: SignedOrigin | undefined) {
    const root = origin.files.get('1.root.json') ?? new Uint8Array()
    const sources = source === undefined ? [] : [source]
    return createCatalog({ sources: () => sources, folder, root, clock, log: silentLog })
  }

  async function refreshKilledAt(step: number, folder: string): Promise<'killed' | 'finished'> {
    const child = spawn(
      process.execPath,
      [PROCESS, folder, join(base, 'published'), `${NOW_MS}`, `${step}`],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const [code, signal] = await once(child, 'exit')
    if (signal === 'SIGKILL') return 'killed'
    expect(code, `the refresh of step ${step}`).to.equal(0)
    return 'finished'
  }

  async function floorsIn(folder: string) {
    const floors = parseFloors(await readFile(join(folder, 'floors.json')))
    if (floors === undefined) throw new Error('the floors are damaged')
    return floors
  }

  for (const replaced of ['root', 'timestamp', 'snapshot'] as const) {
    it(`has a valid catalog and no lower floors, whichever write of a refresh it was killed at, with a new ${replaced} key`, () =>
      walk({ [replaced]: [makeKey()] })).timeout(300_000)
  }

  async function walk(keys: RootOptions['keys'] & object): Promise<void> {
    const start = join(base, 'start')
    await (await open(start, origin)).refresh()
    const before = await floorsIn(start)
    origin.publishRoot(2, { keys })
    origin.publishSet(2)
    await mkdir(join(base, 'published'))
    for (const [name, bytes] of origin.files) await writeFile(join(base, 'published', name), bytes)

    const seen = new Set<number | undefined>()
    let killCount = 0
    for (let step = 1; step <= STEP_COUNT_MAX; step += 1) {
      const folder = join(base, `step-${step}`)
      await cp(start, folder, { recursive: true })
      if ((await refreshKilledAt(step, folder)) === 'finished') break
      killCount += 1
      const floors = await floorsIn(folder)
      expect(floors.timestamp?.version, `step ${step}`).to.be.at.least(
        before.timestamp?.version ?? 1,
      )
      expect(floors.snapshot?.version, `step ${step}`).to.be.at.least(before.snapshot?.version ?? 1)
      expect(floors.root, `step ${step}`).to.be.at.least(before.root)
      for (const [role, { version }] of before.roles) {
        expect(floors.roles.get(role)?.version, `step ${step}`).to.be.at.least(version)
      }
      const catalog = await open(folder, origin)
      const { timestamp } = catalog.status()
      expect(catalog.find('hello', 'stable').head.seq, `step ${step}`).to.equal(timestamp)
      seen.add(timestamp)
      await catalog.refresh()
      expect(catalog.status(), `step ${step}`).to.include({ root: 2, timestamp: 2 })
      const names = await readdir(join(folder, 'cache'))
      expect(names.filter(name => name.endsWith('.tmp'))).to.deep.equal([])
    }
    // Five files at the least, each opened, written and renamed.
    expect(killCount).to.be.within(15, STEP_COUNT_MAX - 1)
    expect([...seen]).to.deep.equal([1, 2])
  }
})
