/** `npm run build:kernel`: compiles the tree kernel and writes it beside this file, as it is committed. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kernelSource } from './generate.ts'

/** The memory is given to the kernel, so that it hashes bytes where they are; these are only the bounds of its type. */
const MEMORY_PAGES_MIN = '1'
const MEMORY_PAGES_MAX = '65536'

/** The kernel's WebAssembly, compiled afresh by the pinned AssemblyScript. */
export async function compileKernel(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-kernel-'))
  try {
    await writeFile(join(folder, 'kernel.ts'), kernelSource())
    const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'))
    const options = [
      ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'threads'],
      ...['--importMemory', '--sharedMemory'],
      ...['--initialMemory', MEMORY_PAGES_MIN, '--maximumMemory', MEMORY_PAGES_MAX],
      ...['--baseDir', folder, '--outFile', 'kernel.wasm'],
    ]
    await promisify(execFile)(process.execPath, [compiler, 'kernel.ts', ...options])
    return await readFile(join(folder, 'kernel.wasm'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (import.meta.main) {
  await writeFile(new URL('kernel.wasm', import.meta.url), await compileKernel())
}
