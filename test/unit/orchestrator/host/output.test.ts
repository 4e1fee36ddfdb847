import { expect } from 'chai'
import { parseDryRun } from '../../../../orchestrator/host/quadlet.ts'

describe('parseDryRun', () => {
  const READING = 'quadlet-generator[7]: Loading source unit file /x/a.container'

  it('splits the services and takes the reading notice for no problem', () => {
    const out = '---a.service---\n[Service]\nExecStart=x\n\n---b.service---\n[Unit]\n'
    const { services, problems } = parseDryRun(0, out, READING)
    expect([...services.keys()]).to.deep.equal(['a.service', 'b.service'])
    expect(problems).to.deep.equal([])
  })

  it('reports every other line', () => {
    const said = `${READING}\nquadlet-generator[7]: converting "a.container": unsupported key 'Foo'`
    expect(parseDryRun(1, '', said).problems).to.deep.equal([
      'converting "a.container": unsupported key \'Foo\'',
    ])
  })

  it('never takes a failure without a word for success', () => {
    expect(parseDryRun(1, '', '').problems).to.deep.equal(['the generator ended with 1'])
  })
})
