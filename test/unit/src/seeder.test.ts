import { expect } from 'chai'
import type { Catalog, CatalogEntry } from '../../../catalog/index.ts'
import { digestOf } from '../../../src/core/digest.ts'
import { silentLog } from '../../../src/core/log.ts'
import { createSeeder } from '../../../src/seeder.ts'
import { settle } from '../../support/manual-clock.ts'

const BLOB = digestOf(Buffer.from('blob'))

function setUp(seeds: readonly string[]) {
  const asked: string[] = []
  const state = { version: '1', isFailing: false }
  const headOf = (name: string): CatalogEntry =>
    ({
      app: name,
      version: state.version,
      manifest: { blake3: digestOf(Buffer.from(`${name} ${state.version}`)) },
    }) as CatalogEntry
  const catalog: Pick<Catalog, 'find'> = {
    find: name => {
      if (name === 'gone') throw new Error('no such app')
      return { head: headOf(name) } as ReturnType<Catalog['find']>
    },
  }
  const seeder = createSeeder({
    ...{ catalog, log: silentLog, seeds: () => seeds },
    fetchBlob: digest => void asked.push(digest),
    async deliver(entry) {
      asked.push(`${entry.app} ${entry.version}`)
      if (state.isFailing) throw new Error('the disk is full')
    },
  })
  return { seeder, asked, state }
}

describe('createSeeder', () => {
  it('brings each head once, and the next one when there is one', async () => {
    const { seeder, asked, state } = setUp(['notes', BLOB])
    seeder.tend()
    await settle()
    seeder.tend()
    await settle()
    expect(asked).to.deep.equal(['notes 1', BLOB, BLOB])
    state.version = '2'
    seeder.tend()
    await settle()
    expect(asked.slice(3)).to.deep.equal(['notes 2', BLOB])
  })

  it('begins with a seed that was added after it found none', async () => {
    const seeds: string[] = []
    const { seeder, asked } = setUp(seeds)
    seeder.tend()
    await settle()
    seeds.push('notes')
    seeder.tend()
    await settle()
    expect(asked).to.deep.equal(['notes 1'])
  })

  it('tries again what failed, and is not stopped by an app that is gone', async () => {
    const { seeder, asked, state } = setUp(['gone', 'notes'])
    state.isFailing = true
    seeder.tend()
    await settle()
    state.isFailing = false
    seeder.tend()
    await settle()
    expect(asked).to.deep.equal(['notes 1', 'notes 1'])
  })

  it('begins nothing after it was closed', async () => {
    const { seeder, asked } = setUp(['notes'])
    await seeder[Symbol.asyncDispose]()
    seeder.tend()
    await settle()
    expect(asked).to.deep.equal([])
  })
})
