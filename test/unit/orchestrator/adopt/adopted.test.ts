import { expect } from 'chai'
import { type Adopted, adoptionFindings } from '../../../../orchestrator/adopt/adopted.ts'
import { bareUnit, bareUnitStates, isBareUnit } from '../../../../orchestrator/adopt/bare.ts'
import { planRepairs } from '../../../../orchestrator/repairs.ts'
import { installed } from '../../../support/orchestrator/records.ts'

const container = (over: Partial<Adopted['containers'][number]> = {}) => ({
  ...{ component: 'db', name: 'pg', id: 'id', restartPolicy: 'always', doesRemoveItself: false },
  ...over,
})
const adopted = (over: Partial<Adopted> = {}): Adopted => ({
  ...{ sinceMs: 0, containers: [container()], pins: [], drift: [] },
  ...over,
})
const codes = (over: Partial<Adopted>) =>
  adoptionFindings('duo', adopted(over)).map(({ code }) => code)

describe('adoptionFindings', () => {
  it('warns of containers that no unit starts, with their restart policy', () => {
    const [finding] = adoptionFindings('duo', adopted())
    expect(finding).to.deep.include({
      ...{ code: 'adopt.rebootUnsafe', app: 'duo', severity: 'warning' },
      evidence: ['pg: restart policy always'],
      fix: 'archy app take-over duo',
    })
    expect(codes({ containers: [container({ unit: 'pg.service' })] })).to.deep.equal([])
  })

  it('warns of containers that remove themselves, but not of units that do so by design', () => {
    const fleeting = container({ doesRemoveItself: true })
    expect(codes({ containers: [fleeting] })).to.include('adopt.removesItself')
    expect(codes({ containers: [{ ...fleeting, unit: 'pg.service' }] })).to.deep.equal([])
  })

  it('tells of data in volumes of Podman, and of what is other than the manifest says', () => {
    const inVolume = '/home/ada/.local/share/containers/storage/volumes/pg/_data'
    expect(codes({ pins: [{ set: 'db', source: inVolume }] })).to.include('adopt.volume')
    expect(codes({ pins: [{ set: 'db', source: '/srv/pg' }] })).not.to.include('adopt.volume')
    expect(codes({ drift: ['db: has no variable X'] })).to.include('adopt.drift')
  })
})

describe('containers without a unit', () => {
  it('are seen as if each had one', () => {
    const listed = (name: string, status: string, exitCode = 0) => ({
      ...{ name, status, exitCode, health: undefined, labels: {} },
    })
    const units = ['a', 'b', 'c'].map(bareUnit)
    const states = bareUnitStates(
      [...units, 'real.service'],
      [listed('a', 'running'), listed('b', 'exited', 3)],
    )
    expect(
      [...states.values()].map(({ active, exitStatus }) => [active, exitStatus]),
    ).to.deep.equal([
      ['active', undefined],
      ['inactive', 3],
      ['not-found', undefined],
    ])
    expect([isBareUnit(bareUnit('a')), isBareUnit('a.service')]).to.deep.equal([true, false])
  })

  it('are never repaired by the node, whatever became of them', () => {
    const found = {
      ...{ units: new Map(), containers: [], networks: [], areUnitsDifferent: true },
      ...{ isEnabled: false, isHeld: false, isBlocked: false },
    }
    expect(planRepairs(installed(), found)).not.to.deep.equal([])
    expect(planRepairs(installed({ adopted: adopted() }), found)).to.deep.equal([])
    expect(planRepairs(installed({ adopted: adopted(), desired: 'stopped' }), found)).to.deep.equal(
      [],
    )
  })
})
