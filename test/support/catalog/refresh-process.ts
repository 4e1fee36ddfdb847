/** A process that refreshes a catalog from a folder, and kills itself in front of, or inside, its n-th write. */
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { createCatalog } from '../../../catalog/client.ts'
import type { MetadataSource } from '../../../catalog/source.ts'
import { readFileBounded } from '../../../src/core/files.ts'
import { silentLog } from '../../../src/core/log.ts'

const [folder = '', published = '', nowText = '', killText = ''] = process.argv.slice(2)
const nowMs = Number(nowText)
const killAt = Number(killText)
let writeCount = 0

/** Called in front of everything that changes the disk. */
function step(): boolean {
  writeCount += 1
  return writeCount === killAt
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

const { open, rename, rm } = fs
const tearWrites = (handle: FileHandle): FileHandle => {
  const writeFile = handle.writeFile.bind(handle)
  handle.writeFile = async data => {
    if (!step()) return writeFile(data)
    // Half of the bytes are there when the process ends.
    const bytes = Buffer.from(data as Uint8Array)
    await writeFile(bytes.subarray(0, bytes.length >> 1))
    die()
  }
  return handle
}
fs.open = async (path, flags, mode) => {
  const isWrite = flags !== 'r'
  if (isWrite && step()) die()
  const handle = await open(path, flags, mode)
  return isWrite ? tearWrites(handle) : handle
}
fs.rename = async (from, to) => {
  if (step()) die()
  await rename(from, to)
}
fs.rm = async (path, options) => {
  if (step()) die()
  await rm(path, options)
}
syncBuiltinESMExports()

const source: MetadataSource = {
  name: 'a folder',
  kind: 'origin',
  get: name => readFileBounded(join(published, name), 1_000_000),
}
const root = await source.get('1.root.json', 1_000_000)
const catalog = await createCatalog({
  sources: () => [source],
  folder,
  root: root ?? new Uint8Array(),
  clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} },
  log: silentLog,
})
await catalog.refresh()
process.stdout.write(`${writeCount}\n`)
