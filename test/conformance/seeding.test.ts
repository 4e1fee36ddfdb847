/** The example in docs/seeding.md is a configuration, and means what the text says. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseConfig } from '../../src/config.ts'
import { SEEDING_MODES } from '../../swarm/serving/policy.ts'
import { limitsInForce } from '../../swarm/serving/schedule.ts'

describe('docs/seeding.md', () => {
  it('has an example that does what it says', async () => {
    const text = await readFile('docs/seeding.md', 'utf8')
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(text) ?? []
    const head = 'network: home\norigin: {urls: ["https://origin.example/"]}\n'
    const { swarm } = parseConfig(`${head}${yaml}`, 'seeding.md')
    const uploadAt = (day: number, hours: number): number | undefined => {
      const configured = { upload: swarm.uploadLimit }
      const settings = { configured, schedule: swarm.schedule, words: {} }
      const nowMs = new Date(2026, 0, 4 + day, hours).getTime()
      return limitsInForce(settings, nowMs).upload.bytesPerSecond
    }
    expect(uploadAt(1, 12)).to.equal(2 * 2 ** 20)
    expect(uploadAt(1, 23)).to.equal(undefined)
    expect(uploadAt(2, 6)).to.equal(undefined)
    expect(uploadAt(6, 12)).to.equal(512 * 2 ** 10)
  })

  it('has a row for each mode', async () => {
    const text = await readFile('docs/seeding.md', 'utf8')
    const rows = [...text.matchAll(/^\| `(\w+)` +\| (?:yes|no)/gm)].map(([, mode]) => mode)
    expect(rows.sort()).to.deep.equal([...SEEDING_MODES].sort())
  })
})
