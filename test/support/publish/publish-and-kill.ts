/** A publication that ends in the middle, as a power cut ends it. */
import { spawn } from 'node:child_process'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { NOW_MS } from './workshop.ts'

const INDEX = join(import.meta.dirname, '../../../catalog/publish/index.ts')

/** Publishes in a process of its own and kills it at the n-th change of the served catalog; false: it was faster. */
export async function publishAndKill(
  origin: string,
  place: string,
  changes: number,
): Promise<boolean> {
  const script = `import { openDestination, publishOrigin } from ${JSON.stringify(INDEX)}
    const destination = await openDestination(${JSON.stringify(place)}, {})
    await publishOrigin(${JSON.stringify(origin)}, { nowMs: ${NOW_MS}, destination })`
  const stopped = new AbortController()
  const watcher = watch(join(place, 'catalog'), { signal: stopped.signal })
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  child.once('exit', () => stopped.abort())
  let seen = 0
  try {
    for await (const _ of watcher) {
      seen += 1
      if (seen === changes) child.kill('SIGKILL')
    }
  } catch (error) {
    if (!stopped.signal.aborted) throw error
  }
  return child.signalCode === 'SIGKILL'
}
