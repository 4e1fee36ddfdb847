/** A piece worker that does one job as it should and fails at the next, for tests of what the others then see. */
import { parentPort } from 'node:worker_threads'

let jobCount = 0
parentPort?.on('message', ({ id }: { id: number }) => {
  jobCount += 1
  if (jobCount > 1) throw new Error('this thread is broken')
  parentPort?.postMessage({ id, result: { kind: 'written' } })
})
