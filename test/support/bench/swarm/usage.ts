/** What a process has cost so far, read from /proc: processor time with every thread, and the highest memory. Linux only. */
import { readFileSync } from 'node:fs'

export interface Usage {
  readonly cpuSeconds: number
  /** The highest resident memory since the process began. */
  readonly peakBytes: number
}

/** USER_HZ: fixed at 100 in what the kernel shows to programs, on every platform that Node runs on. */
const TICKS_PER_SECOND = 100

/** Fields of /proc/<pid>/stat after the name, which may itself contain spaces and brackets. */
function statFields(pid: number | 'self'): readonly number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** @throws ENOENT when the process is gone */
export function usageOf(pid: number): Usage {
  const fields = statFields(pid)
  const [userTicks = 0, systemTicks = 0] = [fields[11], fields[12]]
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
  return {
    cpuSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND,
    peakBytes: peakKib * 1024,
  }
}

/** Processor time of the children of this process that have ended: the difference over a child's life is its own. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields('self')
  const [userTicks = 0, systemTicks = 0] = [fields[13], fields[14]]
  return (userTicks + systemTicks) / TICKS_PER_SECOND
}

/** What was used between two readings of one process; the memory is the highest of its whole life. */
export function usedSince(before: Usage, after: Usage): Usage {
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, peakBytes: after.peakBytes }
}

/** Bytes written to files and sockets so far: what a node that serves and stores nothing has sent. */
export function writtenBytesOf(pid: number): number {
  return Number(
    /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1] ?? Number.NaN,
  )
}

/** The resident memory now. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
}
