import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { digestOf } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { createPins } from '../../../src/pins.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const DIGEST = digestOf(Buffer.from('blob'))

describe('pins', () => {
  it('are kept over a restart, each once, and can be taken away', async () => {
    await using folder = await makeTempFolder()
    const pins = createPins(folder.path)
    expect(await pins.read()).to.deep.equal({ blobs: [], apps: [] })
    await Promise.all([pins.add('notes'), pins.add(DIGEST), pins.add('notes')])
    expect(await createPins(folder.path).read()).to.deep.equal({ blobs: [DIGEST], apps: ['notes'] })
    await pins.remove('notes')
    await pins.remove(DIGEST)
    expect(await createPins(folder.path).read()).to.deep.equal({ blobs: [], apps: [] })
  })

  it('are an error and not empty when their file is damaged, and are not overwritten', async () => {
    await using folder = await makeTempFolder()
    await writeFile(join(folder.path, 'pins.json'), '{"blobs": [')
    const pins = createPins(folder.path)
    for (const attempt of [pins.read(), pins.add('notes')]) {
      const code = await attempt.then(() => undefined, codeOf)
      expect(code).to.equal('PINS_UNREADABLE')
    }
  })
})
