/**
 * Stands between a life and the disk: counts what it changes, and forgets at a power cut what no fsync had made durable.
 * Every call of `node:fs/promises` inside a life passes here; calls from outside are untouched.
 */
import sync from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { type Life, lives } from './life.ts'

type Call = (...args: unknown[]) => Promise<unknown>

/** How to take back each change that its folder was not told to keep, newest last. */
const unsynced = new Map<string, (() => void)[]>()
let graveCount = 0

/** What a power cut leaves: every name as its folder last had it on the disk. */
export function loseUnsynced(): void {
  for (const undos of unsynced.values()) for (const undo of undos.reverse()) undo()
  unsynced.clear()
}

/** For a kill: the kernel goes on and writes everything in time. */
export const keepUnsynced = (): void => unsynced.clear()

/** Half-made things: a new node empties the folder before it does anything, so one cut in it is like another. */
const STAGED = /\/staging\/./

/** Once per process; harmless to everybody who is not in a life. */
export function hookFiles(graveFolder: string): void {
  grave = graveFolder
  if (isHooked) return
  isHooked = true
  const module = fs as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(module)) {
    if (typeof value !== 'function') continue
    const original = value as Call
    module[name] = (...args: unknown[]) => {
      const life = lives.getStore()
      return life === undefined ? original(...args) : callIn(life, name, original, args)
    }
  }
  syncBuiltinESMExports()
}

let isHooked = false
let grave = ''

async function callIn(life: Life, name: string, original: Call, args: unknown[]): Promise<unknown> {
  const path = String(args[/^(symlink|link|copyFile|cp|rename)$/.test(name) ? 1 : 0])
  const isCounted = life.owns(path) && !STAGED.test(path)
  const change = isCounted ? changeOf(name, args) : undefined
  if (change !== undefined) {
    await life.effect(`${name} ${shownPath(path)}`)
    const undo = change()
    if (undo === 'done') return
  }
  await life.stay()
  const result = name === 'open' ? openHandle(life, path, args) : callSync(name, original, args)
  await life.stay()
  return await result
}

/** The model has no other work to go on with: to wait for the thread pool would only cost time. */
function callSync(name: string, original: Call, args: unknown[]): unknown {
  const call = (sync as unknown as Record<string, unknown>)[`${name}Sync`]
  return typeof call === 'function' ? call(...args) : original(...args)
}

/** Names of temporary files are random; they are one and the same step. */
const shownPath = (path: string): string =>
  path.replace(/\.[0-9a-f]{12}\.tmp$/, '.tmp').replace(/^.*?\/(state|home|data)\//, '$1/')

/** Notes how to take the change back. `undefined`: changes nothing. `'done'`: the call was carried out here. */
function changeOf(name: string, args: readonly unknown[]): (() => 'done' | undefined) | undefined {
  const [from, to] = args.map(String) as [string, string]
  switch (name) {
    case 'open':
      return /^r$|^undefined$/.test(String(args[1])) ? undefined : () => undefined
    case 'mkdir':
      return sync.existsSync(from) ? undefined : () => undefined
    case 'rm':
    case 'unlink':
    case 'rmdir':
      return isThere(from) ? () => bury(from) : undefined
    case 'rename':
      return () => {
        const kept = sync.existsSync(to) ? nextGrave() : undefined
        if (kept !== undefined) sync.linkSync(to, kept)
        note(dirname(to), () => {
          if (!sync.existsSync(to)) return
          sync.renameSync(to, from)
          if (kept !== undefined) sync.renameSync(kept, to)
        })
        return undefined
      }
    case 'symlink':
      return () => {
        note(dirname(to), () => sync.rmSync(to, { force: true }))
        return undefined
      }
    case 'link':
    case 'copyFile':
    case 'cp':
    case 'writeFile':
    case 'chmod':
    case 'appendFile':
    case 'truncate':
      return () => undefined
    default:
      return undefined
  }
}

/** Out of sight, where a power cut may bring it back from. */
function bury(path: string): 'done' {
  const kept = nextGrave()
  sync.renameSync(path, kept)
  note(dirname(path), () => sync.renameSync(kept, path))
  return 'done'
}

function nextGrave(): string {
  graveCount += 1
  return join(grave, String(graveCount))
}

function note(folder: string, undo: () => void): void {
  const undos = unsynced.get(folder) ?? []
  undos.push(undo)
  unsynced.set(folder, undos)
}

/** Also a link that points nowhere. */
function isThere(path: string): boolean {
  return sync.lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** What the node uses of a `FileHandle`; `sync` of a folder makes its names durable. */
function openHandle(life: Life, path: string, [, flags, mode]: readonly unknown[]): unknown {
  const fd = sync.openSync(path, (flags as string | undefined) ?? 'r', mode as number | undefined)
  const inLife =
    <T extends unknown[], R>(work: (...args: T) => R) =>
    async (...args: T): Promise<R> => {
      await life.stay()
      return work(...args)
    }
  const close = inLife(() => sync.closeSync(fd))
  return {
    ...{ fd, close, [Symbol.asyncDispose]: close },
    stat: inLife(() => sync.fstatSync(fd)),
    readFile: inLife((options?: 'utf8') => sync.readFileSync(fd, { encoding: options ?? null })),
    writeFile: inLife((bytes: Uint8Array | string) => sync.writeFileSync(fd, bytes)),
    sync: inLife(() => {
      unsynced.delete(path)
    }),
  }
}
