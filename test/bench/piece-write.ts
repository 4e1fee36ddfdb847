/**
 * What it costs to verify pieces and to write them safely: bytes in memory → checked, on disk, synced; beside a plain write.
 * Usage: node test/bench/piece-write.ts [--json] [--large]; `--large` adds a blob of 10 GiB. Each run is a process of its own.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PieceWriteSample } from '../support/bench/piece-write-subject.ts'
import { type Row, reportRows } from '../support/report-rows.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const GIB = 1024 ** 3
const ROUND_COUNT = 5
const SUBJECT = join(import.meta.dirname, '../support/bench/piece-write-subject.ts')

/** Above what a link of 1 Gbit/s brings, three times. */
const MEGABYTES_PER_SECOND_MIN = 375
/** The kernel needs 0.65 s, the system 0.4 s to take the bytes, a copy into the memory 0.1 s. */
const PROCESSOR_S_MAX = 2
/** A node must answer its peers and people meanwhile. */
const LAG_MS_MAX = 50
const RSS_BYTES_MAX = 200e6
/** Two runs of one size differ by as much. */
const RSS_RATIO_MAX = 1.15

type Kind = 'store' | 'plain'

async function measure(kind: Kind, sizeBytes: number): Promise<PieceWriteSample> {
  await using folder = await makeTempFolder()
  const args = [SUBJECT, kind, folder.path, String(sizeBytes)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as PieceWriteSample
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const samples: Record<Kind, PieceWriteSample[]> = { store: [], plain: [] }
for (let round = 0; round < ROUND_COUNT; round++) {
  samples.store.push(await measure('store', GIB))
  samples.plain.push(await measure('plain', GIB))
}
const of = (kind: Kind, what: keyof PieceWriteSample) => median(samples[kind].map(one => one[what]))

function speedRow(): Row {
  const rate = GIB / 1e3 / of('store', 'tookMs')
  const plain = GIB / 1e3 / of('plain', 'tookMs')
  return {
    id: '1 GiB from memory to disk, verified and synced',
    must: `≥ ${MEGABYTES_PER_SECOND_MIN} MB/s`,
    measured: `${rate.toFixed(0)} MB/s, ${(rate / plain).toFixed(2)} × a plain write with one sync at its end`,
    ok: rate >= MEGABYTES_PER_SECOND_MIN,
  }
}

function processorRow(): Row {
  const seconds = of('store', 'processorMs') / 1000
  const plain = of('plain', 'processorMs') / 1000
  return {
    id: 'processor time for 1 GiB',
    must: `≤ ${PROCESSOR_S_MAX} s`,
    measured: `${seconds.toFixed(2)} s; the plain write ${plain.toFixed(2)} s`,
    ok: seconds <= PROCESSOR_S_MAX,
  }
}

function lagRow(): Row {
  const lagMs = of('store', 'lagMs')
  return {
    id: 'the event loop waits meanwhile, 99th percentile',
    must: `≤ ${LAG_MS_MAX} ms`,
    measured: `${lagMs.toFixed(1)} ms, longest ${of('store', 'lagMaxMs').toFixed(1)} ms`,
    ok: lagMs <= LAG_MS_MAX,
  }
}

function memoryRow(peakBytes: number, id: string, otherBytes = peakBytes): Row {
  const isSame = peakBytes <= otherBytes * RSS_RATIO_MAX
  return {
    id,
    must: `≤ ${RSS_BYTES_MAX / 1e6} MB${otherBytes === peakBytes ? '' : ', and the same as for 1 GiB'}`,
    measured: `${(peakBytes / 1e6).toFixed(0)} MB`,
    ok: peakBytes <= RSS_BYTES_MAX && isSame,
  }
}

const peakBytes = of('store', 'peakRssBytes')
const rows = [speedRow(), processorRow(), lagRow(), memoryRow(peakBytes, 'peak memory, 1 GiB')]
if (process.argv.includes('--large')) {
  const large = await measure('store', 10 * GIB)
  rows.push(memoryRow(large.peakRssBytes, 'peak memory, 10 GiB', peakBytes))
}
reportRows(rows)
