/** The program behind `test/conformance/tuf-client`: `init`, `refresh` and `download` of the official TUF conformance suite. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { CatalogError } from '../../../catalog/errors.ts'
import type { TargetEntry } from '../../../catalog/trust/document.ts'
import { loadTrusted } from '../../../catalog/trust/load.ts'
import { findTarget } from '../../../catalog/trust/lookup.ts'
import { refreshTrusted, type TrustDeps } from '../../../catalog/trust/refresh.ts'
import type { Source } from '../../../catalog/trust/store.ts'
import { initFolder, openFolder } from './metadata-folder.ts'
import { isTarget, targetNames } from './target-files.ts'

const TIMEOUT_MS = 30_000
const RULES = { strict: false }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string' },
    'metadata-url': { type: 'string' },
    'target-name': { type: 'string', multiple: true },
    'target-base-url': { type: 'string' },
    'target-dir': { type: 'string' },
  },
})

function need(name: Exclude<keyof typeof values, 'target-name'>): string {
  const value = values[name]
  if (value !== undefined) return value
  throw new TypeError(`--${name} is missing`)
}

function httpSource(base: string): Source {
  return {
    get: async (name, maxBytes) => fetchFile(`${base.replace(/\/$/, '')}/${name}`, maxBytes),
  }
}

async function fetchFile(url: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const response = await request(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  const isThere = response.statusCode === 200
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (isThere) chunks.push(chunk)
    if (length > maxBytes) break
  }
  if (isThere) return Buffer.concat(chunks)
  if (response.statusCode === 404 || response.statusCode === 403) return undefined
  throw new TypeError(`${url}: HTTP status ${response.statusCode}`)
}

async function refresh(paths: readonly string[]): Promise<void> {
  const store = openFolder(need('metadata-dir'))
  const deps: TrustDeps = {
    source: httpSource(need('metadata-url')),
    store,
    nowMs: () => Date.now(),
    rules: RULES,
  }
  const trusted = await refreshTrusted(deps, loadTrusted(store, store.embeddedRoot(), RULES))
  for (const path of paths) {
    const hit = await findTarget(deps, trusted, path)
    if (hit === undefined) throw new TypeError(`no target ${path}`)
    await download(path, hit.target)
  }
}

async function download(path: string, target: TargetEntry): Promise<void> {
  const file = join(need('target-dir'), encodeURIComponent(path))
  if (existsSync(file) && isTarget(path, target, readFileSync(file))) return
  const base = need('target-base-url').replace(/\/$/, '')
  for (const name of targetNames(path, target)) {
    const bytes = await fetchFile(`${base}/${name}`, target.length)
    if (bytes === undefined) continue
    if (!isTarget(path, target, bytes)) break
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
    return
  }
  throw new TypeError(`the server does not give the signed bytes of ${path}`)
}

try {
  const [command, file] = positionals
  if (command === 'init' && file !== undefined) initFolder(need('metadata-dir'), readFileSync(file))
  else if (command === 'refresh') await refresh([])
  else if (command === 'download') await refresh(values['target-name'] ?? [])
  else throw new TypeError('give one of: init ROOT, refresh, download')
} catch (error) {
  const isExpected = error instanceof CatalogError || error instanceof TypeError
  const text = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error)
  process.stderr.write(`tuf-client: ${text}\n`)
  process.exitCode = 1
}
