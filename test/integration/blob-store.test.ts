/** Checks the disk store against the contract of its port. Real files. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { openBlobStore } from '../../swarm/store/open.ts'
import { blobStoreSuite } from '../conformance/suites/blob-store.ts'

describe('disk blob store', () => {
  const folders: string[] = []
  after(async () => {
    for (const folder of folders) await rm(folder, { recursive: true })
  })

  blobStoreSuite(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'archy-store-'))
    folders.push(folder)
    return await openBlobStore({ folder, clock: systemClock, log: silentLog }, { minFreeBytes: 0 })
  })
})
