/** Finds files in Debian trees together with every shared library they need, as entries of a layer. */
import { createReadStream } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'
import { runCommand } from '../lab/index.ts'
import { type LayerEntry, linkOf } from './entry.ts'

const LOADER = 'usr/lib64/ld-linux-x86-64.so.2'
const LIBRARY_FOLDER = 'usr/lib/x86_64-linux-gnu'
/** Holds the program headers of every real object; they follow the file header. */
const HEADER_BYTES = 4096
const SEGMENT_DYNAMIC = 2
const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1')

export interface ClosureOptions {
  /** Root file systems in which a path is looked up, the first one that has it wins. */
  readonly roots: readonly string[]
  /** Paths that are left out when they are met inside a folder. */
  readonly exclude?: readonly RegExp[]
}

/**
 * Everything that `paths` (files or folders, without leading slash, in merged-/usr form) need: the files, the targets of
 * links, the dynamic loader and the libraries. Owned by root; modes as in the package.
 * @throws Error naming the path or the library that no root has.
 */
export async function closureOf(
  paths: readonly string[],
  { roots, exclude = [] }: ClosureOptions,
): Promise<readonly LayerEntry[]> {
  const found = new Map<string, LayerEntry>()
  const queue = [...paths]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (found.has(path)) continue
    const source = await locate(path, roots)
    const info = await lstat(source)
    const owner = { mode: info.mode & 0o7777, uid: 0, gid: 0 }
    if (info.isSymbolicLink()) {
      const target = await readlink(source)
      found.set(path, linkOf(path, target))
      queue.push(mergedUsr(target.startsWith('/') ? target : join(dirname(path), target)))
    } else if (info.isDirectory()) {
      found.set(path, { kind: 'folder', path, ...owner })
      const children = (await readdir(source)).map(name => `${path}/${name}`)
      queue.push(...children.filter(child => !exclude.some(pattern => pattern.test(child))))
    } else {
      const content = () => createReadStream(source)
      found.set(path, { kind: 'file', path, ...owner, sizeBytes: info.size, open: content })
      if (await isDynamicElf(source)) queue.push(...(await librariesOf(source, roots)))
    }
  }
  return [...found.values()]
}

/** `/lib64/x` and `lib64/x` are `usr/lib64/x` where /usr is merged. */
export function mergedUsr(path: string): string {
  return normalize(path)
    .replace(/^\/+/, '')
    .replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/')
}

/** The libraries in the output of `ld.so --list FILE`, as paths below the root that has them. */
export function listedLibraries(listed: string, roots: readonly string[]): readonly string[] {
  const libraries: string[] = []
  for (const line of listed.split('\n')) {
    const match = /^\s*(\S+)(?: => (.+))? \(0x[0-9a-f]+\)$/.exec(line)
    const path = match?.[2] ?? match?.[1]
    if (path === undefined || path.startsWith('linux-vdso')) continue
    const root = roots.find(candidate => path.startsWith(`${candidate}/`))
    libraries.push(mergedUsr(root === undefined ? path : path.slice(root.length)))
  }
  return libraries
}

async function librariesOf(file: string, roots: readonly string[]): Promise<readonly string[]> {
  const loader = await locate(LOADER, roots)
  const search = roots.map(root => join(root, LIBRARY_FOLDER)).join(':')
  const argv = [loader, '--library-path', search, '--list', file]
  const { code, stdout, stderr } = await runCommand(argv, { env: { LC_ALL: 'C' } })
  if (stdout.includes('statically linked')) return []
  if (code !== 0 || stdout.includes('not found')) {
    throw new Error(`the libraries of ${file} are incomplete: ${(stdout + stderr).trim()}`)
  }
  return listedLibraries(stdout, roots)
}

async function locate(path: string, roots: readonly string[]): Promise<string> {
  for (const root of roots) {
    const candidate = join(root, path)
    try {
      await lstat(candidate)
      return candidate
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }
  throw new Error(`no Debian tree holds ${path}; looked in ${roots.join(', ')}`)
}

async function isDynamicElf(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0)
    return hasDynamicSegment(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

/** Whether the first bytes of a file are those of a 64-bit ELF object that the dynamic loader can open. */
export function hasDynamicSegment(head: Buffer): boolean {
  if (head.length < 64 || !head.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC)) return false
  const start = Number(head.readBigUInt64LE(32))
  const entryBytes = head.readUInt16LE(54)
  const count = head.readUInt16LE(56)
  for (let at = start; at < start + count * entryBytes && at + 4 <= head.length; at += entryBytes) {
    if (head.readUInt32LE(at) === SEGMENT_DYNAMIC) return true
  }
  return false
}
