import { expect } from 'chai'
import { formatRetained } from '../../../../src/commands/app-purge.ts'

describe('formatRetained', () => {
  it('says what would be deleted, and how much', () => {
    const text = formatRetained({
      id: 'notes',
      path: '/data/notes',
      bytes: 3_000_000,
      data: [
        { name: 'db', bytes: 2_000_000 },
        { name: '.db.failed-g2', bytes: 1_000_000 },
      ],
      secrets: ['db-password'],
      settings: [],
    })
    expect(text.split('\n')).to.deep.equal([
      'notes left 3.0 MB in /data/notes:',
      '  db             2.0 MB',
      '  .db.failed-g2  1.0 MB',
      'secrets: db-password',
      'settings: none',
    ])
  })
  it('says when there is no data', () => {
    const nothing = { id: 'a', path: '/d', bytes: 0, data: [], secrets: [], settings: ['mode'] }
    expect(formatRetained(nothing)).to.include('  nothing').and.to.include('settings: mode')
  })
})
