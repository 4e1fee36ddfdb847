/** The demo's story where no lab can run: nodes as processes on loopback, units rendered and checked. */
import { expect } from 'chai'
import { openProcessStage } from '../demo/process-stage.ts'
import { tellStory } from '../demo/story.ts'
import { buildAppFolders } from '../support/images/index.ts'

/** Six steps with real processes, one of them a download of 192 MiB at 24 MiB a second. */
const STORY_TIMEOUT_MS = 240_000

describe('the demo without a lab', function () {
  this.timeout(STORY_TIMEOUT_MS)

  it('tells the whole story on loopback', async () => {
    await using stage = await openProcessStage()
    const lines: string[] = []
    const apps = await buildAppFolders({ mode: 'stub' })
    const report = await tellStory(stage, apps, text => lines.push(text))
    expect(report.ok, lines.join('')).to.equal(true)
    expect(report.mode).to.equal('processes')
    expect(report.steps.map(step => step.ok)).to.deep.equal(Array.from({ length: 6 }, () => true))
    const [n1, n2] = report.nodes
    expect(n1?.apps.find(app => app.id === 'hello-web')?.version).to.equal('2.0.0')
    expect(n1?.bytes.origin).to.be.greaterThan(0)
    expect(n2?.bytes.peer).to.be.greaterThan(0)
  })
})
