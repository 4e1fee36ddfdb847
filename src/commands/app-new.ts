/** `archy app new`: an app folder with a manifest that validates, to start from. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { appIdProblem, MANIFEST_FILE } from '../../catalog/publish/index.ts'
import { codeOf, NodeError } from '../core/errors.ts'
import type { CommandIo } from './io.ts'

class AppFolderError extends NodeError<'APP_FOLDER_EXISTS'> {}

const TEMPLATES = ['web', 'web-postgres'] as const
/** Made by `npm run build:schema`; editors read the copy beside the manifest. */
const SCHEMA = join(import.meta.dirname, '../../docs/manifest.schema.json')

interface NewOptions {
  readonly template: (typeof TEMPLATES)[number]
  readonly folder?: string
}

export function newCommand({ io }: { readonly io: CommandIo }): Command {
  return new Command('new')
    .argument('<name>', 'the id of the app, such as my-notes', parseId)
    .description('write an app folder with a manifest to start from')
    .addOption(
      new Option('--template <name>', 'what to start from').choices(TEMPLATES).default('web'),
    )
    .option('--folder <folder>', 'where; by default a folder with the name of the app')
    .action(async (name: string, options: NewOptions) => await create(io, name, options))
}

function parseId(text: string): string {
  const problem = appIdProblem(text)
  if (problem === undefined) return text
  throw new InvalidArgumentError(problem)
}

/** @throws AppFolderError `APP_FOLDER_EXISTS` */
async function create(io: CommandIo, name: string, options: NewOptions): Promise<void> {
  const folder = options.folder ?? name
  const template = join(import.meta.dirname, 'app-templates', `${options.template}.yaml`)
  const title = `${name.slice(0, 1).toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`
  const text = (await readFile(template, 'utf8'))
    .replaceAll('NAME', name)
    .replaceAll('TITLE', title)
  await mkdir(join(folder, 'images'), { recursive: true })
  const file = join(folder, MANIFEST_FILE)
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new AppFolderError('APP_FOLDER_EXISTS', `there is a ${file} already; nothing was changed`)
  }
  await writeFile(join(folder, 'archy.schema.json'), await readFile(SCHEMA))
  io.stdout(
    `${file} is written. Put the images into it, then check it: archy app validate ${folder}\n`,
  )
}
