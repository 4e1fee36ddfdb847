/** `archy app config`: the settings of an app, shown or changed. */
import { type Command, InvalidArgumentError } from 'commander'
import type { SettingView } from '../../orchestrator/index.ts'
import { createControlClient } from '../http/control-client.ts'
import type { AppCommandContext } from './app.ts'
import { formatTable } from './format.ts'

interface Options {
  readonly unset: readonly string[]
  readonly json: boolean
}

/** Adds its command to `archy app`. */
export function addConfigCommand(app: Command, { io, socket }: AppCommandContext): void {
  app
    .command('config <id> [settings...]')
    .description('show the settings of an app, or change them: KEY=VALUE…; it then restarts')
    .option('--unset <key...>', 'back to the default', [])
    .option('--json', 'print JSON', false)
    .action(async (id: string, words: readonly string[], { unset, json }: Options) => {
      const set = parseSettings(words)
      const isChange = words.length + unset.length > 0
      await using client = createControlClient(socket)
      const path = `/v1/apps/${encodeURIComponent(id)}/config`
      const answer = (
        isChange ? await client.call('POST', path, { set, unset }) : await client.call('GET', path)
      ) as { readonly settings: readonly SettingView[] }
      io.stdout(json ? `${JSON.stringify(answer)}\n` : `${formatSettings(answer.settings)}\n`)
    })
}

/** Pure. @throws InvalidArgumentError */
export function parseSettings(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.map(word => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (name !== undefined && value !== undefined) return [name, value] as const
    throw new InvalidArgumentError(`"${word}" is no setting; write KEY=VALUE`)
  })
  return Object.fromEntries(pairs)
}

/** Pure: the page for a person. */
export function formatSettings(settings: readonly SettingView[]): string {
  if (settings.length === 0) return 'This app has no settings.'
  return formatTable(
    settings.map(({ name, value, type, title = '', isDefault, isImmutable, values }) => [
      name,
      value ?? '(none yet)',
      values === undefined ? type : values.join(' | '),
      [isDefault ? 'default' : '', isImmutable ? 'fixed once installed' : '']
        .filter(text => text !== '')
        .join(', '),
      title,
    ]),
  )
}
