/** `archy node reset-root`: the last way out, when the holders of a root lost it and begin anew. */
import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf, NodeError } from '../core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../core/files.ts'
import type { Folders } from '../folders.ts'
import { createControlClient } from '../http/control-client.ts'
import type { CommandIo } from './io.ts'

class ResetError extends NodeError<'RESET_REFUSED'> {}

interface Context {
  readonly io: CommandIo
  readonly folders: Folders
  readonly clock: Clock
}

interface ResetOptions {
  readonly sha256: string
  readonly forgetCatalog: boolean
}

const ROOT_BYTES_MAX = 512_000

export function addResetRoot(node: Command, context: Context): void {
  node
    .command('reset-root <root-file>')
    .description('begin with another root; apps and their data stay, the catalog is forgotten')
    .requiredOption('--sha256 <hex>', 'the SHA-256 of the new root, as its publisher told you')
    .option('--forget-catalog', 'yes, this node may forget which catalogs it has seen', false)
    .action(async (file: string, options: ResetOptions) => await reset(context, file, options))
}

/** Two confirmations: the hash from another source than the file, and the word. */
async function reset({ io, folders, clock }: Context, file: string, options: ResetOptions) {
  const bytes = await readFileBounded(resolve(file), ROOT_BYTES_MAX)
  if (bytes === undefined) throw new ResetError('RESET_REFUSED', `there is no file ${file}`)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== options.sha256.toLowerCase()) {
    throw new ResetError('RESET_REFUSED', `${file} has the SHA-256 ${sha256}, not the one you gave`)
  }
  if (!options.forgetCatalog) {
    throw new ResetError(
      'RESET_REFUSED',
      'whoever gives you a root decides what runs here, and this node would forget which catalogs it has seen; if that is what you want, add --forget-catalog',
    )
  }
  if (await isRunning(folders.socket)) {
    throw new ResetError(
      'RESET_REFUSED',
      'the node runs; stop it first: systemctl --user stop archy',
    )
  }
  const { origin } = await readConfig(folders.configFile)
  const catalog = join(folders.state, 'catalog')
  const aside = `${catalog}.${clock.nowMs()}`
  await moveAside(catalog, aside)
  await writeFileAtomic(origin.rootFile, bytes)
  io.stdout(
    `The root is ${origin.rootFile} now; the old catalog is in ${dirname(aside)}. Start the node again.\n`,
  )
}

async function isRunning(socket: string): Promise<boolean> {
  await using client = createControlClient(socket)
  try {
    await client.call('GET', '/v1/status')
    return true
  } catch (error) {
    if (codeOf(error) === 'NODE_NOT_RUNNING') return false
    throw error
  }
}

async function moveAside(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
