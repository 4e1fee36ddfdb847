import { expect } from 'chai'
import { parseDryRun } from '../../../../orchestrator/host/quadlet.ts'
import { parseUnits } from '../../../../orchestrator/host/systemd.ts'

describe('parseUnits', () => {
  it('reads one block per unit', () => {
    const text = [
      ...['Id=a.service', 'LoadState=loaded', 'ActiveState=active', 'SubState=running'],
      ...['Result=success', 'NRestarts=2', ''],
      ...['Id=b.target', 'LoadState=loaded', 'ActiveState=inactive', 'SubState=dead'],
    ].join('\n')
    const units = parseUnits(text)
    expect(units.get('a.service')).to.deep.equal({
      active: 'active',
      sub: 'running',
      result: 'success',
      restarts: 2,
    })
    expect(units.get('b.target')?.active).to.equal('inactive')
  })

  it('tells a unit whose file is gone from one that still runs without it', () => {
    const of = (active: string) =>
      parseUnits(`Id=x.service\nLoadState=not-found\nActiveState=${active}\nSubState=x`)
    expect(of('inactive').get('x.service')?.active).to.equal('not-found')
    expect(of('active').get('x.service')?.active).to.equal('active')
  })
})

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
