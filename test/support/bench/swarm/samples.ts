/** Repetitions of several contenders, taken in turn so that a busy moment of the machine meets all of them, and their medians. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Usage } from './usage.ts'

export interface Sample {
  readonly seconds: number
  readonly getter: Usage
  readonly server: Usage
}

export interface Contender {
  readonly name: string
  run(repetition: number): Promise<Sample>
}

export type Samples = ReadonlyMap<string, readonly Sample[]>

export async function interleave(
  contenders: readonly Contender[],
  repetitions: number,
  say: (line: string) => void,
  /** Before each run, not measured. */
  before: () => Promise<void> = async () => {},
): Promise<Samples> {
  // What the preparation wrote must not be paid for by whoever comes first.
  await promisify(execFile)('sync')
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let repetition = 0; repetition < repetitions; repetition++) {
    // Each round begins with another one: nobody always comes after the same neighbour.
    const order = contenders.map(
      (_, index) => contenders[(index + repetition) % contenders.length] as Contender,
    )
    for (const { name, run } of order) {
      await before()
      const sample = await run(repetition)
      samples.get(name)?.push(sample)
      say(
        `  ${repetition + 1}/${repetitions} ${name}: ${sample.seconds.toFixed(2)} s, ${cpuOf(sample)}`,
      )
    }
  }
  return samples
}

function cpuOf({ getter, server }: Sample): string {
  return `CPU ${getter.cpuSeconds.toFixed(2)} + ${server.cpuSeconds.toFixed(2)} s`
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** The median of each number over the repetitions of one contender; `undefined` when it did not run. */
export function medianOf(samples: readonly Sample[] | undefined): Sample | undefined {
  if (samples === undefined || samples.length === 0) return undefined
  const usage = (of: (sample: Sample) => Usage): Usage => ({
    cpuSeconds: median(samples.map(sample => of(sample).cpuSeconds)),
    peakBytes: median(samples.map(sample => of(sample).peakBytes)),
  })
  return {
    seconds: median(samples.map(({ seconds }) => seconds)),
    getter: usage(({ getter }) => getter),
    server: usage(({ server }) => server),
  }
}
