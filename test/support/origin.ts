/** An origin directory made with the real command line. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export interface OriginFolder {
  readonly folder: string
  readonly publicFolder: string
  readonly rootFile: string
  /** Adds app folders and signs a new catalog. */
  publish(...appFolders: readonly string[]): Promise<void>
}

/** `archy origin init`, then `add` for each app, then `publish`. */
export async function runOrigin(
  folder: string,
  ...appFolders: readonly string[]
): Promise<OriginFolder> {
  const publicFolder = join(folder, 'public')
  const publish = async (...more: readonly string[]): Promise<void> => {
    for (const app of more) await runMain('origin', 'add', folder, app)
    await runMain('origin', 'publish', folder)
  }
  await runMain('origin', 'init', folder, '--unencrypted')
  await publish(...appFolders)
  return { folder, publicFolder, rootFile: join(publicFolder, 'catalog/1.root.json'), publish }
}

/** Runs `archy` on this machine; rejects with its standard error when it fails. */
export async function runMain(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout
}
