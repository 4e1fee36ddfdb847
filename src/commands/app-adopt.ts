/** `archy app adopt | take-over`: apps that ran on this machine before the node did. */
import { type Command, InvalidArgumentError } from 'commander'
import type { AdoptionReport } from '../../orchestrator/index.ts'
import { createControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import type { AppCommandContext } from './app.ts'
import { describeApp } from './app-text.ts'
import { formatTable } from './format.ts'

interface AdoptOptions {
  readonly container: ReadonlyMap<string, string>
  readonly dryRun: boolean
  readonly undo: boolean
  readonly json: boolean
}

/** Adds its commands to `archy app`. */
export function addAdoptionCommands(app: Command, context: AppCommandContext): void {
  app
    .command('adopt <id>')
    .description('claim containers that run already as an app; nothing is stopped or restarted')
    .option(
      '--container <component=name>',
      'which container is which component; may be given again',
      pair,
      new Map(),
    )
    .option('--dry-run', 'say what would be claimed, and change nothing', false)
    .option('--undo', 'let go of an adopted app; its containers go on as they are', false)
    .option('--json', 'print JSON', false)
    .action(async (id: string, options: AdoptOptions) => await adopt(context, id, options))
  app
    .command('take-over <id>')
    .description('replace adopted containers by units of this node; goes back when that fails')
    .option('--json', 'print JSON', false)
    .action(async (id: string, { json }: { json: boolean }) => {
      await using client = createControlClient(context.socket)
      const view = (await client.call('POST', `${pathOf(id)}/take-over`)) as AppView
      context.io.stdout(json ? `${JSON.stringify(view)}\n` : `${describeApp(view)}\n`)
    })
}

function pair(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, component, name] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? []
  if (component !== undefined && name !== undefined) return new Map([...before, [component, name]])
  throw new InvalidArgumentError('give it as COMPONENT=CONTAINER, such as db=postgres')
}

function pathOf(id: string): string {
  return `/v1/apps/${encodeURIComponent(id)}`
}

async function adopt(
  { io, socket }: AppCommandContext,
  id: string,
  { container, dryRun, undo, json }: AdoptOptions,
): Promise<void> {
  await using client = createControlClient(socket)
  if (undo) {
    const answer = await client.call('DELETE', `${pathOf(id)}/adoption`)
    io.stdout(json ? `${JSON.stringify(answer)}\n` : `${id} is no longer an app of this node.\n`)
    return
  }
  const body = { dryRun, containers: Object.fromEntries(container) }
  const report = (await client.call('POST', `${pathOf(id)}/adopt`, body)) as AdoptionReport
  io.stdout(json ? `${JSON.stringify(report)}\n` : `${formatAdoption(report, dryRun)}\n`)
}

/** Pure: the page for a person. */
export function formatAdoption(report: AdoptionReport, isDryRun: boolean): string {
  const { app, version, kind, desired, containers, pins, secrets, findings } = report
  const whose = kind === 'own' ? 'units of an earlier life of this node' : 'containers'
  const verb = isDryRun ? 'would be adopted' : 'is adopted'
  return [
    `${app} ${version} ${verb} from ${whose}; it is ${desired}`,
    formatTable([
      ...containers.map(({ component, name, unit }) => [
        component,
        `container ${name}`,
        unit === undefined ? 'no unit' : unit,
      ]),
      ...pins.map(({ set, source }) => [set, `data stays at ${source}`]),
      ...secrets.map(name => [name, 'secret kept']),
    ]),
    ...findings.flatMap(({ severity, code, text, evidence, fix }) => [
      `${severity === 'warning' ? 'warn' : 'info'}  ${code}: ${text}`,
      ...evidence.map(each => `      ${each}`),
      `      fix: ${fix}`,
    ]),
  ].join('\n')
}
