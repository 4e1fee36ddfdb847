/**
 * `npm run bench:catalog`: what it costs to verify catalogs, with bounds, and beside tuf-js in the same run.
 * Usage: node test/bench/catalog.ts [--json]; every repetition is a process of its own, and medians count.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeApps, writeForgedRoot, writeRotations } from '../support/bench/catalog-files.ts'
import type { Sample } from '../support/bench/catalog-subject.ts'
import { type Row, reportRows } from '../support/report-rows.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const ROUND_COUNT = 7
const APP_COUNT = 10_000
/** tuf-js takes time that grows with the square of the apps: 20 s for 10,000 of them. */
const RATIO_APP_COUNT = 2_000
const KEY_COUNT = 10_000
const ROTATION_COUNT = 100
const MEGABYTE = 1e6

const SUBJECT = join(import.meta.dirname, '../support/bench/catalog-subject.ts')

type Verifier = 'cold' | 'running' | 'tuf-js'

async function sampleOf(verifier: Verifier, folder: string): Promise<Sample> {
  const { stdout } = await promisify(execFile)(process.execPath, [SUBJECT, verifier, folder])
  return JSON.parse(stdout) as Sample
}

async function samples(
  verifier: Verifier,
  folder: string,
  count = ROUND_COUNT,
): Promise<readonly Sample[]> {
  const found: Sample[] = []
  for (let round = 0; round < count; round++) found.push(await sampleOf(verifier, folder))
  return found
}

type Measure = 'tookMs' | 'processorMs' | 'lagMs' | 'grewBytes'

function median(all: readonly Sample[], what: Measure): number {
  const sorted = all.map(sample => sample[what]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

/** A row for a median that has a bound; the samples must also have ended as they should. */
function timeRow(
  id: string,
  what: string,
  all: readonly Sample[],
  boundMs: number,
  isRight: (sample: Sample) => boolean,
  measure: Measure = 'tookMs',
): Row {
  const value = median(all, measure)
  const wrong = all.filter(sample => !isRight(sample))
  const ended = wrong[0] === undefined ? '' : `, but one ended with ${JSON.stringify(wrong[0])}`
  return {
    id,
    must: `${what}: ≤ ${boundMs} ms`,
    measured: `${ms(value)} (of the processor: ${ms(median(all, 'processorMs'))}), median of ${all.length} processes${ended}`,
    ok: value <= boundMs && wrong.length === 0,
  }
}

function ratioRow(id: string, what: string, mine: number, theirs: number): Row {
  return {
    id,
    must: `${what}: faster than tuf-js 6 in the same run`,
    measured: `ours ${ms(mine)}, tuf-js ${ms(theirs)}: ${(theirs / mine).toFixed(1)} times`,
    ok: mine < theirs,
  }
}

async function benchApps(folder: string): Promise<readonly Row[]> {
  const [large, small] = [join(folder, 'large'), join(folder, 'small')]
  await writeApps(large, APP_COUNT)
  await writeApps(small, RATIO_APP_COUNT)
  const cold = await samples('cold', large)
  const mine: Sample[] = []
  const theirs: Sample[] = []
  for (let round = 0; round < ROUND_COUNT; round++) {
    mine.push(await sampleOf('cold', small))
    theirs.push(await sampleOf('tuf-js', small))
  }
  const grew = median(cold, 'grewBytes') / MEGABYTE
  const what = `${APP_COUNT} apps, cold, from bytes to offers`
  const bothFound = theirs.every(({ found }) => found === 1)
  const both = `${RATIO_APP_COUNT} apps (not ${APP_COUNT}: tuf-js takes time by their square), same bytes`
  const ratio = ratioRow('ratio-apps', both, median(mine, 'tookMs'), median(theirs, 'tookMs'))
  return [
    timeRow('cold-verify', what, cold, 300, ({ found }) => found === APP_COUNT),
    {
      id: 'cold-verify-memory',
      must: `${what}: memory (RSS) grows by ≤ 100 MB`,
      measured: `${grew.toFixed(1)} MB, median of ${cold.length} processes`,
      ok: grew <= 100,
    },
    { ...ratio, ok: ratio.ok && bothFound && mine.every(({ found }) => found === RATIO_APP_COUNT) },
  ]
}

async function benchForged(folder: string): Promise<readonly Row[]> {
  const size = await writeForgedRoot(folder, KEY_COUNT)
  const mine = await samples('running', folder)
  const [theirs] = await samples('tuf-js', folder, 1)
  const what = `unsigned root of ${Math.round(size / 1000)} kB with ${KEY_COUNT} keys`
  const isRefused = ({ code }: Sample) => code === 'SIGNATURE_THRESHOLD'
  const theirMs = theirs?.tookMs ?? 0
  return [
    timeRow('unsigned-root', `${what}, refused`, mine, 50, isRefused),
    timeRow('unsigned-root-lag', `${what}, event loop`, mine, 50, isRefused, 'lagMs'),
    ratioRow('ratio-unsigned-root', `${what} (tuf-js: one run)`, median(mine, 'tookMs'), theirMs),
  ]
}

async function benchRotations(folder: string): Promise<readonly Row[]> {
  await writeRotations(folder, ROTATION_COUNT)
  // The folder has roots and nothing else, so a run that came to the newest one ends there.
  const all = await samples('running', folder)
  const isThere = ({ code }: Sample) => code === 'METADATA_MISSING'
  return [timeRow('rotations', `${ROTATION_COUNT} root rotations`, all, 250, isThere)]
}

await using temp = await makeTempFolder()
reportRows([
  ...(await benchApps(join(temp.path, 'apps'))),
  ...(await benchForged(join(temp.path, 'forged'))),
  ...(await benchRotations(join(temp.path, 'rotations'))),
])
