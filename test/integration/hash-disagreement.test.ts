/**
 * Checks that a machine which hashes wrong publishes nothing.
 * Method: a copy of the program whose tree kernel has one bit of BLAKE3's constants flipped, as a bad core would; the second
 * implementation is sound.
 */
import { execFile } from 'node:child_process'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { initOrigin, originFolder } from '../../catalog/publish/index.ts'
import { NOW_MS, openWorkshop } from '../support/publish/workshop.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const KERNEL = 'src/core/blake3/kernel/kernel.wasm'
/** The first word of the initial chaining value as the kernel holds it: once in each of four lanes. */
const CONSTANT = Buffer.from('67e6096a'.repeat(4), 'hex')

async function copyProgram(to: string): Promise<void> {
  for (const name of ['src', 'catalog', 'package.json']) {
    await cp(name, join(to, name), { recursive: true })
  }
  await symlink(join(process.cwd(), 'node_modules'), join(to, 'node_modules'))
  const script = `import { addApp } from './catalog/publish/index.ts'
const [origin, app] = process.argv.slice(2)
console.log(await addApp(origin, app).then(added => added.outcome, error => error.code))
`
  await writeFile(join(to, 'add.ts'), script)
}

async function flipOneBit(program: string): Promise<void> {
  const kernel = await readFile(join(program, KERNEL))
  const place = kernel.indexOf(CONSTANT)
  expect(place).to.be.above(0)
  kernel[place] = (kernel[place] ?? 0) ^ 1
  await writeFile(join(program, KERNEL), kernel)
}

describe('publishing on a machine that hashes wrong', () => {
  it('refuses, and leaves the draft as it was', async function () {
    this.timeout(30_000)
    await using shop = await openWorkshop()
    await using program = await makeTempFolder()
    await initOrigin(shop.origin, { nowMs: NOW_MS })
    await copyProgram(program.path)
    const app = await shop.app('1', { layers: [Buffer.alloc(50_000, 7)] })
    const add = async (): Promise<string> => {
      const args = [join(program.path, 'add.ts'), shop.origin, app.folder]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: program.path })
      return stdout.trim()
    }
    const { state } = originFolder(shop.origin)
    const before = await readFile(state, 'utf8')

    await flipOneBit(program.path)
    expect(await add()).to.equal('HASH_DISAGREEMENT')
    expect(await readFile(state, 'utf8')).to.equal(before)

    await cp(KERNEL, join(program.path, KERNEL))
    expect(await add()).to.equal('added')
  })
})
