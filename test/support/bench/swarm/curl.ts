/** One download with curl: over HTTPS, to a file. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { endedChildrenCpuSeconds, type Usage } from './usage.ts'

const SAMPLE_MS = 50

export interface CurlRun {
  readonly seconds: number
  readonly usage: Usage
}

/** Downloads to `path` and deletes it again. No other child of this process may end meanwhile: its time would be counted. */
export async function runCurl(
  url: string,
  options: { readonly certificateFile: string; readonly path: string; readonly sizeBytes: number },
): Promise<CurlRun> {
  const { certificateFile, path, sizeBytes } = options
  const before = endedChildrenCpuSeconds()
  const args = [
    '-sS',
    '--fail',
    '--cacert',
    certificateFile,
    '-o',
    path,
    '-w',
    '%{time_total}',
    url,
  ]
  let peakBytes = 0
  const seconds = await new Promise<number>((resolve, reject) => {
    const child = execFile('curl', args, (error, stdout) => {
      clearInterval(timer)
      if (error === null) resolve(Number(stdout))
      else reject(error)
    })
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid))
    }, SAMPLE_MS)
  })
  const { size } = await stat(path)
  await rm(path)
  if (size !== sizeBytes) throw new Error(`curl wrote ${size} bytes instead of ${sizeBytes}`)
  return { seconds, usage: { cpuSeconds: endedChildrenCpuSeconds() - before, peakBytes } }
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    /* It ended between two samples; the one before counts. */
    return 0
  }
}
