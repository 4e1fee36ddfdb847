import { expect } from 'chai'
import { z } from 'zod'
import { explainIssues, formatProblem, suggestion } from '../../../src/core/schema.ts'
import { parseYaml } from '../../../src/core/yaml.ts'

const schema = z.strictObject({
  ports: z.array(z.strictObject({ container: z.number(), host: z.number() })).default([]),
  title: z.string(),
})

function problemsOf(text: string): readonly string[] {
  const document = parseYaml(text)
  const result = schema.safeParse(document.value)
  if (result.success) return []
  return explainIssues(result.error, schema, document).map(p => formatProblem('app.yaml', p))
}

describe('explainIssues', () => {
  it('names line, column and the nearest known key', () => {
    expect(problemsOf('title: x\nports:\n  - container: 80\n    hots: 8080\n')).to.deep.equal([
      'app.yaml:3:5: ports[0].host: Invalid input: expected number, received undefined',
      'app.yaml:4:5: ports[0].hots: unknown key "hots"; did you mean "host"?',
    ])
  })
  it('reports every problem at once', () => {
    expect(problemsOf('titel: x\nzzz: 1\n')).to.have.length(3)
  })
})

describe('suggestion', () => {
  it('is empty when nothing is near', () => {
    expect(suggestion('completely', ['title', 'ports'])).to.equal('')
  })
})
