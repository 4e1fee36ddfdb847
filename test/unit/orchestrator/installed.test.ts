import { expect } from 'chai'
import { releasesIn } from '../../../orchestrator/installed.ts'
import { type AppRecord, emptyRecord, type Generation } from '../../../orchestrator/record.ts'
import { digestOf } from '../../../src/core/digest.ts'

function generation(version: string): Generation {
  const part: unknown = { spec: { version }, manifest: digestOf(Buffer.from(version)) }
  return part as Generation
}
const record = (over: Partial<AppRecord>): AppRecord => ({
  ...emptyRecord('notes', 'Notes'),
  ...over,
})
const placesIn = (over: Partial<AppRecord>): readonly string[] =>
  releasesIn(record(over)).map(({ version, place }) => `${place} ${version}`)

describe('releasesIn', () => {
  it('are the one in place and the one before it', () => {
    const kept = { committed: generation('2'), previous: generation('1') }
    expect(placesIn(kept)).to.deep.equal(['installed 2', 'previous 1'])
    expect(releasesIn(record(kept))[0]?.manifest).to.equal(digestOf(Buffer.from('2')))
  })
  it('have the one that is being put in place, or taken back', () => {
    const startedMs = 0
    expect(
      placesIn({
        committed: generation('1'),
        operation: { kind: 'switch', to: generation('2'), startedMs },
      }),
    ).to.deep.equal(['installed 1', 'coming 2'])
    const from = generation('2')
    expect(
      placesIn({
        committed: generation('1'),
        operation: { kind: 'rollback', from, reason: 'x', startedMs },
      }),
    ).to.deep.equal(['installed 1', 'coming 2'])
  })
  it('are none of an app that was uninstalled, or whose first install only prepares', () => {
    expect(placesIn({ retained: true })).to.deep.equal([])
    expect(placesIn({ operation: { kind: 'prepare', number: 1, startedMs: 0 } })).to.deep.equal([])
  })
})
