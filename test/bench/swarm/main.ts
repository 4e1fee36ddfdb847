/**
 * `npm run bench:swarm`: what the swarm promises, measured beside its rivals in one run on one machine.
 * Usage: main.ts [--json] [--only ID,…] [--repetitions N] [--size 1GiB] [--quick] [--rivals FOLDER]
 * Progress goes to standard error. Needs Linux, nginx, curl and openssl; no root. Everything stays on loopback.
 */
import { parseArgs } from 'node:util'
import { messageOf } from '../../../src/core/errors.ts'
import {
  type Bench,
  type BenchOptions,
  openBench,
  type Part,
} from '../../support/bench/swarm/bench.ts'
import { defaultRivalsFolder } from '../../support/bench/swarm/rivals/iroh-package.ts'
import { type Row, reportRows } from '../../support/report-rows.ts'
import { capped } from './capped.ts'
import { kernel, simulatedCrowd } from './commands.ts'
import { crowd } from './crowd.ts'
import { idle } from './idle.ts'
import { kills } from './kills.ts'
import { liar } from './liar.ts'
import { memory } from './memory.ts'
import { neverSlower } from './never-slower.ts'
import { single } from './single.ts'
import { stall } from './stall.ts'

const PARTS: readonly Part[] = [
  single,
  kernel,
  capped,
  neverSlower,
  liar,
  stall,
  kills,
  crowd,
  simulatedCrowd,
  memory,
  idle,
]

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

function parseSize(text: string): number {
  const [, count, unit = ''] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? []
  const size = Number(count) * (UNITS[unit] ?? Number.NaN)
  if (!(size > 0)) throw new TypeError(`not a size such as "256MiB": ${text}`)
  return size
}

function readOptions(): BenchOptions & { readonly only: readonly string[] } {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      repetitions: { type: 'string' },
      size: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rivals: { type: 'string', default: defaultRivalsFolder() },
    },
  })
  const { quick: isQuick } = values
  const only = values.only.split(',').filter(id => id !== '')
  const known = PARTS.flatMap(({ ids }) => ids)
  const unknown = only.filter(id => !known.includes(id))
  if (unknown.length > 0)
    throw new TypeError(`no row ${unknown.join(', ')}; there are ${known.join(', ')}`)
  return {
    isQuick,
    only,
    repetitions: Number(values.repetitions ?? (isQuick ? 1 : 5)),
    sizeBytes: parseSize(values.size ?? (isQuick ? '128MiB' : '1GiB')),
    rivalsFolder: values.rivals,
  }
}

/** A part that breaks fails its rows and no others. */
async function runPart(part: Part, bench: Bench): Promise<readonly Row[]> {
  bench.say(`${part.ids.join(', ')}`)
  const startMs = performance.now()
  try {
    return await part.run(bench)
  } catch (error) {
    bench.say(error instanceof Error ? String(error.stack) : String(error))
    return part.ids.map(id => ({
      ...{ id, must: 'be measured' },
      measured: `broke: ${messageOf(error)}`,
      ok: false,
    }))
  } finally {
    bench.say(`  took ${((performance.now() - startMs) / 1000).toFixed(0)} s`)
  }
}

const { only, ...options } = readOptions()
await using bench = await openBench(options)
let isEnding = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second one comes while everything is being ended: it must not leave the rest behind.
    if (isEnding) return
    isEnding = true
    bench[Symbol.asyncDispose]().then(
      () => process.exit(130),
      () => process.exit(130),
    )
  })
}
const rows: Row[] = []
for (const part of PARTS) {
  if (only.length > 0 && !part.ids.some(id => only.includes(id))) continue
  rows.push(...(await runPart(part, bench)))
}
reportRows(only.length === 0 ? rows : rows.filter(({ id }) => only.includes(id)))
