/** The trace of a real node: one line for each event, and a file that stays within its bound. */
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { systemClock } from '../../src/core/clock.ts'
import { digestOf } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import { TRACE_BYTES_MAX } from '../../swarm/limits.ts'
import { openTrace } from '../../swarm/trace.ts'
import { bytesOf } from '../support/bytes.ts'
import { makeFolder } from '../support/store/open.ts'
import { startNode } from '../support/swarm/nodes.ts'
import { startOrigin } from '../support/swarm/origin-server.ts'

interface Line {
  readonly ms: number
  readonly event: string
  readonly [field: string]: unknown
}

async function linesOf(file: string): Promise<readonly Line[]> {
  return (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('trace', () => {
  it('tells who was asked for which piece, what came, and how it ended', async () => {
    await using folder = await makeFolder()
    await using origin = await startOrigin()
    const traceFile = join(folder.path, 'trace.jsonl')
    const bytes = bytesOf(3 * 1024 * 1024, 1)
    const digest = origin.add(bytes)
    {
      await using node = await startNode({ origins: [origin.url], traceFile })
      const release = digestOf(Buffer.from('release'))
      await node.swarm.fetch({ digest, sizeBytes: bytes.length }, { release })
    }
    const lines = await linesOf(traceFile)
    const of = (event: string): readonly Line[] => lines.filter(line => line.event === event)
    expect(of('fetch started')).to.have.length(1)
    expect(of('joined')[0]).to.include({ blob: digest, source: `origin:${origin.url}` })
    const asked = of('ask').reduce((count, line) => count + Number(line.pieceCount), 0)
    expect(asked).to.equal(12)
    const stored = of('piece').map(line => Number(line.pieceIndex))
    expect(stored.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 12 }, (_, i) => i))
    expect(of('fetch finished')[0]).to.include({ digest, origin: bytes.length, peer: 0 })
    const times = lines.map(line => line.ms)
    expect(times).to.deep.equal([...times].sort((a, b) => a - b))
  })

  it('goes on in a new file when the old one is long, and keeps the old one', async () => {
    await using folder = await makeFolder()
    const file = join(folder.path, 'trace.jsonl')
    await writeFile(file, '')
    await truncate(file, TRACE_BYTES_MAX + 1)
    {
      await using trace = openTrace({ clock: systemClock, log: silentLog }, file)
      trace.note?.('first', { of: 'this run' })
    }
    expect((await stat(`${file}.1`)).size).to.equal(TRACE_BYTES_MAX + 1)
    const [line, ...others] = await linesOf(file)
    expect(line).to.include({ event: 'first', of: 'this run' })
    expect(others).to.deep.equal([])
  })
})
