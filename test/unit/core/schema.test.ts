import { expect } from 'chai'
import { z } from 'zod'
import { explainIssues, formatProblem, suggestion } from '../../../src/core/schema.ts'
import { parseYaml } from '../../../src/core/yaml.ts'

const schema = z.strictObject({
  ports: z.array(z.strictObject({ container: z.number(), host: z.number() })).default([]),
  title: z.string(),
  mounts: z
    .array(
      z.union([
        z.strictObject({ data: z.string(), path: z.string() }),
        z.strictObject({ tmpfs: z.string(), path: z.string() }),
      ]),
    )
    .optional(),
  names: z.record(z.string().regex(/^[a-z]+$/, 'must be lower-case'), z.string()).optional(),
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
      'app.yaml:3:5: ports[0].host: is missing (expected number)',
      'app.yaml:4:5: ports[0].hots: unknown key "hots"; did you mean "host"?',
    ])
  })
  it('explains a union by the alternative that fits best', () => {
    expect(problemsOf('title: x\nmounts:\n  - data: db\n    paht: /x\n')).to.deep.equal([
      'app.yaml:3:5: mounts[0].path: is missing (expected string)',
      'app.yaml:4:5: mounts[0].paht: unknown key "paht"; did you mean "path"?',
    ])
  })
  it('says what is wrong with the key of a record, and where the key stands', () => {
    expect(problemsOf('title: x\nnames:\n  A: b\n')).to.deep.equal([
      'app.yaml:3:3: names.A: must be lower-case',
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
