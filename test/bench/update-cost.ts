/**
 * What an update costs: bytes that a node fetches of a changed image layer when it has the old one, by the layer's form.
 * Usage: node test/bench/update-cost.ts [--json]. `gzip` and `zstd` of the system are used; a form that they lack is named.
 */
import { spawnSync } from 'node:child_process'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Row, reportRows } from '../support/report-rows.ts'
import { fillNextVersion } from '../support/swarm/next-version.ts'
import { changeFiles, type LayerFile, makeFiles, tarOf } from './layer-files.ts'

const FILE_COUNT = 2_400
const JUDGED_COUNT = 5
const CHANGES: Readonly<Record<string, number>> = {
  '1 file': 1,
  '5 files': JUDGED_COUNT,
  '1 % of files': 24,
}

interface Form {
  /** `undefined` where the system lacks the program. */
  pack(files: readonly LayerFile[]): Uint8Array | undefined
  /** What a change of five files may cost, as a share of the layer. */
  readonly shareMax: number
}

const zstd = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

function program(command: string, args: readonly string[], input: Uint8Array) {
  const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 2 ** 30 })
  return status === 0 ? stdout : undefined
}

const forms: Readonly<Record<string, Form>> = {
  'tar, not compressed': { pack: tarOf, shareMax: 0.05 },
  gzip: { pack: files => gzipSync(tarOf(files), { level: 6 }), shareMax: 1 },
  'gzip --rsyncable': {
    pack: files => program('gzip', ['-6', '-n', '--rsyncable', '-c'], tarOf(files)),
    shareMax: 0.1,
  },
  zstd: { pack: files => zstd(tarOf(files)), shareMax: 1 },
  'zstd --rsyncable': {
    pack: files => program('zstd', ['-q', '-3', '--rsyncable', '-c'], tarOf(files)),
    shareMax: 0.3,
  },
  // The way of zstd:chunked: a frame of its own for each file.
  'zstd, a frame for each file': {
    pack: files => Buffer.concat(files.map(file => zstd(tarOf([file])))),
    shareMax: 0.1,
  },
}

const files = makeFiles(FILE_COUNT, 1)
const rows: Row[] = []
for (const [form, { pack, shareMax }] of Object.entries(forms)) {
  const old = pack(files)
  const parts: string[] = []
  let isCheap = old !== undefined
  for (const [name, count] of Object.entries(CHANGES)) {
    const next = pack(changeFiles(files, count, 7))
    if (old === undefined || next === undefined) continue
    const { fetchedBytes } = await fillNextVersion(old, next)
    if (count === JUDGED_COUNT) isCheap = fetchedBytes <= shareMax * next.length
    parts.push(`${name}: ${mb(fetchedBytes)} (${Math.round((fetchedBytes * 100) / next.length)} %)`)
  }
  const measured =
    old === undefined
      ? 'not measured: the program is not here'
      : `${mb(old.length)} whole; ${parts.join(', ')}`
  rows.push({
    id: form,
    must: `${JUDGED_COUNT} changed files: at most ${shareMax * 100} % of the layer`,
    measured,
    ok: isCheap,
  })
}
reportRows(rows)

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
