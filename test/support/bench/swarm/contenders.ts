/** The contenders of the large transfer from one server to one getter: our node, and the rivals that can run here. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../../src/core/errors.ts'
import type { Bench } from './bench.ts'
import type { BlobFile } from './blob-file.ts'
import { runCurl } from './curl.ts'
import type { HttpsOrigin } from './https-origin.ts'
import { startBenchNode } from './node-process.ts'
import { ensureIroh } from './rivals/iroh-package.ts'
import type { Contender, Sample } from './samples.ts'
import { SubjectProcess } from './subject-process.ts'
import { type Usage, usageOf, usedSince } from './usage.ts'

const RIVALS = join(import.meta.dirname, 'rivals')
/** Debian's own: the bindings are for it and no other Python. */
const PYTHON = '/usr/bin/python3'

/** A contender that may be impossible here, with the reason in words for the row. */
export type MaybeContender = Contender | { readonly name: string; readonly missing: string }

async function measured(
  getterPid: number,
  server: () => Usage,
  run: () => Promise<{ readonly seconds: number }>,
): Promise<Sample> {
  const [getterBefore, serverBefore] = [usageOf(getterPid), server()]
  const { seconds } = await run()
  return {
    seconds,
    getter: usedSince(getterBefore, usageOf(getterPid)),
    server: usedSince(serverBefore, server()),
  }
}

export async function prepareOurs(
  bench: Bench,
  stack: AsyncDisposableStack,
  blob: BlobFile,
  { name, hasBulk }: { readonly name: string; readonly hasBulk: boolean },
): Promise<Contender> {
  const seeder = stack.use(
    await startBenchNode(bench, `${name} seeder`, { folder: bench.newFolder('seeder'), hasBulk }),
  )
  await seeder.import(blob)
  return {
    name,
    async run() {
      await using getter = await startBenchNode(bench, `${name} getter`, {
        folder: bench.newFolder('getter'),
        bootstrap: [seeder.address],
        hasBulk,
      })
      await getter.untilPeers(1)
      return await measured(getter.pid, seeder.usage, () => getter.fetch(blob))
    },
  }
}

export function prepareCurl(bench: Bench, origin: HttpsOrigin, blob: BlobFile): Contender {
  const { certificateFile } = origin
  return {
    name: 'curl',
    async run() {
      const before = origin.usage()
      const path = bench.newFolder('curl')
      const options = { certificateFile, path, sizeBytes: blob.sizeBytes }
      const { seconds, usage } = await runCurl(`${origin.url}${blob.urlPath}`, options)
      return { seconds, getter: usage, server: usedSince(before, origin.usage()) }
    },
  }
}

export async function prepareNoise(bench: Bench, stack: AsyncDisposableStack): Promise<Contender> {
  const script = join(RIVALS, 'noise-subject.ts')
  const command = (role: string) => ({ file: process.execPath, args: [script, role] })
  const server = await SubjectProcess.start<{ address: string }>(
    bench.running,
    'noise server',
    command('serve'),
  )
  stack.use(server.subject)
  return {
    name: 'noise',
    async run() {
      const { subject } = await SubjectProcess.start(bench.running, 'noise getter', command('get'))
      await using getter = subject
      const given = { address: server.ready.address, sizeBytes: bench.sizeBytes }
      const usage = () => usageOf(server.subject.pid)
      return await measured(getter.pid, usage, () => getter.ask('fetch', given))
    },
  }
}

export async function prepareLibtorrent(
  bench: Bench,
  stack: AsyncDisposableStack,
  blob: BlobFile,
  { name, mode }: { readonly name: string; readonly mode: 'encrypted' | 'plain' },
): Promise<MaybeContender> {
  const script = join(RIVALS, 'libtorrent-subject.py')
  const torrent = bench.newFolder('torrent')
  const command = (...args: readonly string[]) => ({ file: PYTHON, args: [script, ...args] })
  return await unlessMissing(name, async () => {
    const { subject: seeder, ready } = await SubjectProcess.start<{ port: number }>(
      bench.running,
      'libtorrent seeder',
      command('seed', blob.path, torrent),
    )
    stack.use(seeder)
    return {
      name,
      async run() {
        const folder = bench.newFolder('libtorrent')
        await mkdir(folder)
        const { subject } = await SubjectProcess.start(
          bench.running,
          'libtorrent getter',
          command('get', torrent, folder, mode),
        )
        await using getter = subject
        const usage = () => usageOf(seeder.pid)
        const sample = await measured(getter.pid, usage, () => getter.ask('fetch', ready))
        await rm(folder, { recursive: true })
        return sample
      },
    }
  })
}

interface IrohReady {
  readonly hash: string
  readonly address: object
}

export async function prepareIroh(
  bench: Bench,
  stack: AsyncDisposableStack,
  blob: BlobFile,
): Promise<MaybeContender> {
  const name = 'iroh-blobs'
  const script = join(RIVALS, 'iroh-subject.ts')
  const command = (...args: readonly string[]) => ({
    file: process.execPath,
    args: [script, bench.rivalsFolder, ...args],
  })
  return await unlessMissing(name, async () => {
    await ensureIroh(bench.rivalsFolder)
    const { subject: seeder, ready } = await SubjectProcess.start<IrohReady>(
      bench.running,
      'iroh seeder',
      command(bench.newFolder('iroh'), blob.path),
    )
    stack.use(seeder)
    return {
      name,
      async run() {
        const folder = bench.newFolder('iroh')
        const { subject } = await SubjectProcess.start(
          bench.running,
          'iroh getter',
          command(folder),
        )
        await using getter = subject
        const given = { hash: ready.hash, from: ready.address }
        const usage = () => usageOf(seeder.pid)
        const sample = await measured(getter.pid, usage, () => getter.ask('fetch', given))
        await rm(folder, { recursive: true })
        return sample
      },
    }
  })
}

async function unlessMissing(
  name: string,
  prepare: () => Promise<Contender>,
): Promise<MaybeContender> {
  try {
    return await prepare()
  } catch (error) {
    return { name, missing: messageOf(error).split('\n').at(-1) ?? '' }
  }
}
