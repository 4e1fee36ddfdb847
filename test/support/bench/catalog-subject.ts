/**
 * One repetition of `npm run bench:catalog`, in a process of its own: reads a catalog into memory, then measures what it costs to verify.
 * Usage: catalog-subject.ts cold|running|tuf-js FOLDER; prints one JSON object.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '../../../catalog/cache.ts'
import { listApps } from '../../../catalog/entries.ts'
import { shelvesOf } from '../../../catalog/shelves.ts'
import { refreshDelegated } from '../../../catalog/trust/delegated.ts'
import { noFloors } from '../../../catalog/trust/floors.ts'
import { loadTrusted, type Trusted } from '../../../catalog/trust/load.ts'
import { refreshTrusted, type TrustDeps } from '../../../catalog/trust/refresh.ts'
import { codeOf } from '../../../src/core/errors.ts'

export interface Sample {
  /** Apps found; 0 when there was nothing to find. */
  readonly found: number
  /** The code of what the verifier threw, or the name of the error where it has none; empty when it threw nothing. */
  readonly code: string
  readonly tookMs: number
  /** Of the main thread: what is left when other work on the machine is taken away. */
  readonly processorMs: number
  /** The longest time between two turns of the event loop. */
  readonly lagMs: number
  /** The highest memory during the measurement above the memory before it. */
  readonly grewBytes: number
}

const [verifier, folder = ''] = process.argv.slice(2)
const files = new Map(
  readdirSync(folder).map(name => [name, readFileSync(join(folder, name))] as const),
)
const firstRoot = files.get('1.root.json') ?? Buffer.alloc(0)
const rules = { strict: true }
const deps: TrustDeps = {
  source: { get: async name => files.get(name) },
  store: createMemoryStore(new Map(), noFloors),
  nowMs: Date.now,
  rules,
}

type Run = () => Promise<number>

/** From the bytes of an origin, its first root among them, to the offers that a node can choose from. */
async function ours(before?: Trusted): Promise<number> {
  const trusted = await refreshTrusted(deps, before ?? loadTrusted(deps.store, firstRoot, rules))
  return listApps(shelvesOf(trusted, await refreshDelegated(deps, trusted))).offers.length
}

/** The same in a node that runs: it has loaded its root. */
function prepareOurs(): Run {
  const trusted = loadTrusted(deps.store, firstRoot, rules)
  return () => ours(trusted)
}

/** The same with tuf-js, up to one app: it has no list. */
async function prepareTufJs(): Promise<Run> {
  const { BaseFetcher, Updater } = await import('tuf-js')
  const { DownloadHTTPError } = await import('tuf-js/dist/error.js')
  class MemoryFetcher extends BaseFetcher {
    override async fetch(url: string) {
      const bytes = files.get(new URL(url).pathname.slice(1))
      if (bytes === undefined) throw new DownloadHTTPError('not found', 404)
      return new Blob([bytes]).stream()
    }
  }
  const metadataDir = mkdtempSync(join(tmpdir(), 'archy-bench-'))
  process.on('exit', () => rmSync(metadataDir, { recursive: true, force: true }))
  writeFileSync(join(metadataDir, 'root.json'), firstRoot)
  const fetcher = new MemoryFetcher()
  return async () => {
    const base = 'http://origin.test/'
    const updater = new Updater({ metadataDir, metadataBaseUrl: base, fetcher })
    await updater.refresh()
    return (await updater.getTargetInfo('apps/core.app-0/stable')) === undefined ? 0 : 1
  }
}

/** Linux keeps the highest memory of a process, and forgets it on request; elsewhere the memory at the end has to do. */
function highestBytes(): number {
  if (process.platform !== 'linux') return process.memoryUsage.rss()
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(line?.[1]) * 1024
}

async function measure(run: Run): Promise<Sample> {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5')
  const before = process.memoryUsage.rss()
  let [lagMs, lastMs] = [0, performance.now()]
  const turn = () => {
    const nowMs = performance.now()
    lagMs = Math.max(lagMs, nowMs - lastMs)
    lastMs = nowMs
  }
  const ticker = setInterval(turn, 1)
  const used = process.threadCpuUsage()
  const startMs = performance.now()
  let [found, code] = [0, '']
  try {
    found = await run()
  } catch (error) {
    code = codeOf(error) ?? (error instanceof Error ? error.name : String(error))
  }
  const tookMs = performance.now() - startMs
  const { user, system } = process.threadCpuUsage(used)
  turn()
  clearInterval(ticker)
  const processorMs = (user + system) / 1000
  return { found, code, tookMs, processorMs, lagMs, grewBytes: highestBytes() - before }
}

const prepare: Readonly<Record<string, () => Run | Promise<Run>>> = {
  cold: () => () => ours(),
  running: prepareOurs,
  'tuf-js': prepareTufJs,
}
const run = await prepare[verifier ?? '']?.()
if (run === undefined) throw new TypeError('give one of: cold, running, tuf-js')
const sample = await measure(run)
process.stdout.write(`${JSON.stringify(sample)}\n`)
