/** A process that fetches one blob and prints its progress as JSON lines: something a test can kill. */
import { parseArgs } from 'node:util'
import { digestOf, parseDigest } from '../../../src/core/digest.ts'
import { startNode, untilPeers } from './nodes.ts'

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '' },
    origin: { type: 'string', multiple: true, default: [] },
    bootstrap: { type: 'string', multiple: true, default: [] },
    digest: { type: 'string', default: '' },
    size: { type: 'string', default: '' },
  },
})

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await using node = await startNode({
  folder: values.folder,
  keepFolder: true,
  origins: values.origin,
  bootstrap: values.bootstrap,
})
await untilPeers(node, values.bootstrap.length)
const startedMs = performance.now()
// Sampled, because `maxRSS` of a child begins with what its parent had when it forked.
let rssMaxBytes = 0
await node.swarm.fetch(
  { digest: parseDigest(values.digest), sizeBytes: Number(values.size) },
  {
    release: digestOf(Buffer.from('release')),
    onProgress({ heldBytes }) {
      rssMaxBytes = Math.max(rssMaxBytes, process.memoryUsage.rss())
      print({ heldBytes })
    },
  },
)
print({
  done: true,
  seconds: (performance.now() - startedMs) / 1000,
  ...node.swarm.status().totals,
  rssMaxBytes,
})
