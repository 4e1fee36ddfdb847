import { expect } from 'chai'
import { FOREIGN_WORDS } from '../../../../catalog/manifest/foreign.ts'
import { readAuthorManifest } from '../../../../catalog/manifest/parse.ts'
import type { ManifestProblem } from '../../../../catalog/manifest/read.ts'
import { RULES } from '../../../../catalog/manifest/rule-ids.ts'
import { BROKEN_RULES, components, main, top } from '../../../support/manifest/broken-rules.ts'
import { BROKEN_WORDS } from '../../../support/manifest/broken-words.ts'

const MARK = '§'

function problemsOf(example: string): readonly ManifestProblem[] {
  return readAuthorManifest(example.replace(MARK, '')).problems
}

/** Line and column of the mark. */
function placeOf(example: string): { line: number; column: number } {
  const before = example.slice(0, example.indexOf(MARK)).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

describe('broken manifests', () => {
  it('are known for every rule but those that look into images', () => {
    const untold = Object.keys(RULES).filter(rule => !Object.hasOwn(BROKEN_RULES, rule))
    expect(untold).to.deep.equal(['image.layout', 'image.volumes'])
    expect(FOREIGN_WORDS.map(({ rule }) => rule)).to.have.members(Object.keys(BROKEN_WORDS))
  })

  it('would be right without the mistake', () => {
    expect(problemsOf(main('role: service'))).to.deep.equal([])
    const job = 'job: { image: app, role: job, health: { startBudget: 2h } }'
    expect(problemsOf(components(`main: { image: app }, ${job}`))).to.deep.equal([])
    expect(problemsOf(top('networks: { back: {} }'))).to.deep.equal([])
  })

  for (const [rule, examples] of Object.entries(BROKEN_RULES)) {
    examples.forEach((example, index) => {
      it(`break ${rule} (${index + 1}): one problem, at its place`, () => {
        const problems = problemsOf(example)
        expect(problems.map(p => p.rule)).to.deep.equal([rule])
        expect(problems[0]?.position).to.deep.equal(placeOf(example))
      })
    })
  }

  for (const { rule, instead } of FOREIGN_WORDS) {
    BROKEN_WORDS[rule].forEach((example, index) => {
      it(`hold ${rule} (${index + 1}): its place, and what to write instead`, () => {
        const found = problemsOf(example).find(p => p.rule === rule)
        expect(found?.position).to.deep.equal(placeOf(example))
        expect(found?.message).to.contain(instead)
      })
    })
  }

  it('say nothing of missing keys beside a construct from elsewhere', () => {
    const rules = problemsOf(main('mounts: [{ type: volume, source: files, target: /x }]'))
    expect(rules.map(p => p.rule)).to.deep.equal(Array(3).fill('instead.mount'))
  })

  it('name places of the container without alarm', () => {
    const rules = problemsOf(main('volumes: [{ source: files, target: /proc/x }]'))
    expect(rules.map(p => p.rule)).to.deep.equal(['instead.data'])
  })
})
