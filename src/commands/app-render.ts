/** `archy app render`: the units of a manifest, and what Podman will be told, on any machine. */
import { type Command, InvalidArgumentError } from 'commander'
import semver from 'semver'
import { PODMAN_VERSION_FLOOR, type Preview, previewApp } from '../../orchestrator/index.ts'
import type { CommandIo } from './io.ts'
import { readManifestFile } from './manifest-file.ts'
import { unifiedDiff } from './unified-diff.ts'

const UNKNOWN_IMAGES =
  'archy: images get their IDs when the app is published; until then zeros stand for them\n'

interface RenderOptions {
  readonly podman: string
  readonly platform: 'amd64' | 'arm64'
  readonly diff?: string
  readonly argv: boolean
  readonly json: boolean
}

/** Adds its command to `archy app`. No node needs to run. */
export function addRenderCommand(app: Command, { io }: { readonly io: CommandIo }): void {
  app
    .command('render <manifest>')
    .description('print the units of a manifest (a file or an app folder); no node is needed')
    .option(
      '--podman <version>',
      'as for this version of Podman',
      parseVersion,
      PODMAN_VERSION_FLOOR,
    )
    .option('--platform <name>', 'images for amd64 or arm64', parsePlatform, 'amd64')
    .option('--diff <manifest>', 'print what differs from the units of this other manifest')
    .option('--argv', 'print the predicted command of each service instead of the units', false)
    .option('--json', 'print JSON', false)
    .action(async (path: string, options: RenderOptions) => {
      const preview = await previewOf(path, options)
      if (preview.hasUnknownImages) io.stderr(UNKNOWN_IMAGES)
      const other = options.diff === undefined ? undefined : await previewOf(options.diff, options)
      io.stdout(
        options.json ? jsonText(preview, other, options) : plainText(preview, other, options),
      )
    })
}

async function previewOf(path: string, options: RenderOptions): Promise<Preview> {
  const { podman, platform } = options
  return previewApp(await readManifestFile(path), { podmanVersion: podman, platform })
}

interface Text {
  readonly name: string
  readonly text: string
}

/** What is printed, as named texts: units, or commands that can be pasted into a shell. */
function textsOf({ units, commands }: Preview, { argv }: RenderOptions): readonly Text[] {
  if (!argv) return units
  return commands.map(command => ({
    name: command.service,
    text: `${shellCommand(command.argv)}\n`,
  }))
}

function plainText(preview: Preview, other: Preview | undefined, options: RenderOptions): string {
  if (other !== undefined) return diffText(preview, other, options)
  const texts = textsOf(preview, options)
  return texts.map(({ name, text }) => `# ==> ${name} <==\n${text}`).join('\n')
}

/** One option a line. */
function shellCommand(argv: readonly string[]): string {
  return argv.map(word => `${word.startsWith('-') ? '\\\n  ' : ''}${shellWord(word)}`).join(' ')
}

/** From the units of `other` to those of `preview`. */
function diffText(preview: Preview, other: Preview, options: RenderOptions): string {
  const before = new Map(textsOf(other, options).map(({ name, text }) => [name, text]))
  const after = new Map(textsOf(preview, options).map(({ name, text }) => [name, text]))
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.map(name => unifiedDiff(name, before.get(name), after.get(name))).join('')
}

function jsonText(preview: Preview, other: Preview | undefined, options: RenderOptions): string {
  const { podman } = options
  const value =
    other === undefined
      ? { podman, ...preview }
      : { podman, diff: diffText(preview, other, options) }
  return `${JSON.stringify(value)}\n`
}

/** Quoted for a shell only where a shell would read something into it. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9._/:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function parseVersion(text: string): string {
  if (semver.valid(text) === text) return text
  throw new InvalidArgumentError('give it as Podman shows it, such as 5.4.2')
}

function parsePlatform(text: string): string {
  if (text === 'amd64' || text === 'arm64') return text
  throw new InvalidArgumentError('give amd64 or arm64')
}
