/** How the rows of the benchmark say sizes, rates and ratios. Pure. */
import type { Sample } from './samples.ts'

const MEGABYTE = 1e6

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`
}

export function rate(bytes: number, seconds: number): string {
  return `${(bytes / MEGABYTE / seconds).toFixed(0)} MB/s`
}

export function seconds(value: number): string {
  return `${value.toFixed(2)} s`
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}

/** One contender: its time and rate, and what each end cost. */
export function costs(name: string, sample: Sample, sizeBytes: number): string {
  const { getter, server } = sample
  const time = `${name} ${seconds(sample.seconds)} (${rate(sizeBytes, sample.seconds)}`
  const cpu = `CPU ${getter.cpuSeconds.toFixed(2)} + ${server.cpuSeconds.toFixed(2)} s`
  return `${time}, ${cpu}, RSS ${megabytes(getter.peakBytes)} + ${megabytes(server.peakBytes)})`
}
