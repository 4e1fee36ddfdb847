/** `npm run conformance:tuf`: replays recorded runs of the official TUF conformance suite, and says what passed and how long it took. */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { reportRows } from '../support/report-rows.ts'
import { type Recording, replayCase } from '../support/tuf/recording.ts'

const SECONDS_MAX = 5
const GIVEN = new URL('../../../shared/vectors/tuf-conformance-part.json.gz', import.meta.url)

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, vectors: { type: 'string' } },
})
const file = values.vectors ?? GIVEN
if (!existsSync(file)) {
  process.stderr.write(`there is no recording at ${String(file)}; give one with --vectors FILE\n`)
  reportRows([{ id: 'recording', must: 'a recording is there', measured: 'none', ok: false }])
} else {
  const bytes = readFileSync(file)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const recording = JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString('utf8')) as Recording
  const startMs = performance.now()
  let passed = 0
  for (const recorded of recording.cases) {
    const problems = await replayCase(recorded, recording.blobs)
    if (problems.length === 0) passed += 1
    else process.stderr.write(`${recorded.name}\n${problems.map(each => `  ${each}\n`).join('')}`)
  }
  const seconds = (performance.now() - startMs) / 1000
  const total = recording.cases.length
  reportRows([
    {
      id: 'cases',
      must: 'every recorded case passes',
      measured: `${passed} of ${total} passed`,
      ok: total > 0 && passed === total,
    },
    {
      id: 'time',
      must: `under ${SECONDS_MAX} s`,
      measured: `${seconds.toFixed(2)} s`,
      ok: seconds < SECONDS_MAX,
    },
  ])
}
