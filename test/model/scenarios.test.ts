/**
 * Every story in `fixtures/scenarios` is run on the model and must give exactly the trace that stands below it.
 * `UPDATE_FIXTURES=1` writes the traces anew; the difference is then to be read.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseStory, runStory, TRACE_MARK } from './scenario.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/scenarios')

describe('stories of a swarm', function () {
  this.timeout(20_000)
  for (const file of readdirSync(FOLDER).sort()) {
    it(file.replace('.txt', '').replaceAll('-', ' '), async () => {
      const path = join(FOLDER, file)
      const [story = '', expected = ''] = readFileSync(path, 'utf8').split(`${TRACE_MARK}\n`)
      const trace = await runStory(parseStory(story))
      if (process.env.UPDATE_FIXTURES === '1') {
        writeFileSync(path, `${story.trimEnd()}\n\n${TRACE_MARK}\n${trace}`)
        return
      }
      expect(trace, `UPDATE_FIXTURES=1 writes ${file} anew; read the difference`).to.equal(expected)
    })
  }
})
