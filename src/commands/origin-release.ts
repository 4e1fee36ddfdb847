/** `archy origin release`: decides what nodes get to see of the releases of an app. `publish` makes it so. */
import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  addApp,
  advanceNext,
  completeNext,
  decideRelease,
  findDraftApp,
  haltNext,
  parseSteps,
  raiseFloor,
  readReleases,
  rollBackTo,
  stageNext,
  viewApp,
  viewReleases,
  yankRelease,
} from '../../catalog/publish/index.ts'
import { isFolder } from '../core/files.ts'
import { addCommand, createProgressLine } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { appText, releasesText, stagedText } from './release-text.ts'

type Draft = Awaited<ReturnType<typeof decideRelease>>

interface ChannelOption extends JsonOption {
  readonly channel: string
}

export function releaseCommand(context: OriginCommandContext): Command {
  const command = new Command('release').description('decide what nodes see of each app')
  command.addCommand(addCommand(context))
  addRolloutCommands(command, context)
  addWithdrawCommands(command, context)
  addReadCommands(command, context)
  return command
}

function addRolloutCommands(command: Command, context: OriginCommandContext): void {
  const { clock } = context
  verb(command, 'next <dir> <app> <version>', 'stage a release: nodes get it in steps')
    .addHelpText('after', '\n<version> may also be an app folder, which is then added first')
    .option('--steps <list>', 'when which share of the nodes', '0:1,1d:10,3d:50,7d:100')
    .option('--start <time>', 'when the first step begins, such as 2026-12-01T08:00Z; default now')
    .action(
      async (dir: string, app: string, version: string, options: NextCommandOptions) =>
        await next(context, dir, app, version, options),
    )
  verb(command, 'step <dir> <app>', 'let the staged release reach more nodes now')
    .option('--percent <number>', 'the share of nodes from now on', parsePercent)
    .option('--complete', 'make it the head: for every node', false)
    .action(async (dir: string, app: string, options: StepCommandOptions, self: Command) => {
      const { channel, percent, complete } = options
      if ((percent === undefined) !== complete) {
        self.error('error: give either --percent or --complete')
      }
      const nowMs = clock.nowMs()
      await decide(context, dir, app, options, draft =>
        percent === undefined
          ? completeNext(draft, app, channel)
          : advanceNext(draft, app, channel, percent, nowMs),
      )
    })
  verb(command, 'halt <dir> <app>', 'offer the staged release to no further node')
    .option('--resume', 'go on where it was halted', false)
    .action(async (dir: string, app: string, options: ChannelOption & { resume: boolean }) => {
      const action = options.resume ? 'resume' : 'halt'
      const nowMs = clock.nowMs()
      await decide(context, dir, app, options, draft =>
        haltNext(draft, app, options.channel, action, nowMs),
      )
    })
}

interface NextCommandOptions extends ChannelOption {
  readonly steps: string
  readonly start?: string
}

interface StepCommandOptions extends ChannelOption {
  readonly percent?: number
  readonly complete: boolean
}

async function next(
  context: OriginCommandContext,
  dir: string,
  app: string,
  version: string,
  options: NextCommandOptions,
): Promise<void> {
  const steps = parseSteps(options.steps)
  const startMs = options.start === undefined ? context.clock.nowMs() : parseStart(options.start)
  const salt = randomBytes(8).toString('hex')
  const { apps } = await readReleases(dir)
  const isKnown = apps[app]?.releases.some(release => release.version === version) ?? false
  const staged =
    !isKnown && (await isFolder(version)) ? await add(context, dir, app, version) : version
  const { channel } = options
  await decide(context, dir, app, options, draft =>
    stageNext(draft, { app, channel, version: staged, steps, startMs, salt }),
  )
}

/** @returns the version of the app in the folder */
async function add({ io }: OriginCommandContext, dir: string, app: string, folder: string) {
  const progress = createProgressLine(io)
  try {
    const added = await addApp(dir, folder, { app, isStaged: true, onProgress: progress.show })
    return added.version
  } finally {
    progress.clear()
  }
}

function addWithdrawCommands(command: Command, context: OriginCommandContext): void {
  command
    .command('yank <dir> <app> <version>')
    .description('say that a release may not be installed any more, in any channel')
    .requiredOption('--reason <text>', 'shown to the owners of nodes that have it')
    .addOption(
      new Option('--severity <level>', 'how bad it is')
        .choices(['low', 'high', 'critical'])
        .default('high'),
    )
    .addOption(
      new Option(
        '--action <action>',
        'what happens where it runs: the owner is told, or it is replaced',
      )
        .choices(['warn', 'stop-new', 'replace'])
        .default('stop-new'),
    )
    .option('--json', 'print JSON', false)
    .action(
      async (dir: string, app: string, version: string, options: YankCommandOptions) =>
        await decide(context, dir, app, options, draft => {
          const { severity, action, reason } = options
          return yankRelease(draft, app, version, { severity, action, reason })
        }),
    )
  verb(command, 'floor <dir> <app> <version>', 'let no node install less; never falls').action(
    async (dir: string, app: string, version: string, options: ChannelOption) =>
      await decide(context, dir, app, options, draft =>
        raiseFloor(draft, app, options.channel, version),
      ),
  )
  verb(command, 'rollback-to <dir> <app> <version>', 'make an earlier release the head again')
    .option(
      '--data-incompatible',
      'the earlier release cannot read what the later one wrote',
      false,
    )
    .action(
      async (
        dir: string,
        app: string,
        version: string,
        options: ChannelOption & { dataIncompatible: boolean },
      ) => {
        const dataCompatible = !options.dataIncompatible
        await decide(context, dir, app, options, draft =>
          rollBackTo(draft, app, options.channel, version, { dataCompatible }),
        )
      },
    )
}

interface YankCommandOptions extends JsonOption {
  readonly severity: 'low' | 'high' | 'critical'
  readonly action: 'warn' | 'stop-new' | 'replace'
  readonly reason: string
}

function addReadCommands(command: Command, { io, clock }: OriginCommandContext): void {
  command
    .command('list <dir>')
    .description('list every app and channel')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, { json }: JsonOption) => {
      const nowMs = clock.nowMs()
      const views = viewReleases(await readReleases(dir), nowMs)
      io.stdout(json ? `${JSON.stringify(views)}\n` : releasesText(views, nowMs))
    })
  command
    .command('show <dir> <app>')
    .description('show every release of an app and what is decided for it')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, app: string, { json }: JsonOption) => {
      const nowMs = clock.nowMs()
      const view = viewApp(app, findDraftApp(await readReleases(dir), app), nowMs)
      io.stdout(json ? `${JSON.stringify(view)}\n` : appText(view, nowMs))
    })
}

/** A command that works on one channel. */
function verb(command: Command, form: string, what: string): Command {
  return command
    .command(form)
    .description(what)
    .option('--channel <name>', 'the channel that it is for', 'stable')
    .option('--json', 'print JSON', false)
}

async function decide(
  { io, clock }: OriginCommandContext,
  dir: string,
  app: string,
  { json }: JsonOption,
  change: (draft: Draft) => Draft,
): Promise<void> {
  const draft = await decideRelease(dir, change)
  const nowMs = clock.nowMs()
  const view = viewApp(app, findDraftApp(draft, app), nowMs)
  io.stdout(
    json
      ? `${JSON.stringify(view)}\n`
      : `${stagedText(view, nowMs)}Next: archy origin publish ${dir}\n`,
  )
}

function parsePercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''))
  if (Number.isInteger(percent) && percent >= 1 && percent <= 100) return percent
  throw new InvalidArgumentError('a percentage is a whole number from 1 to 100')
}

function parseStart(text: string): number {
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(timeMs) && timeMs >= 0) return timeMs
  throw new InvalidArgumentError('--start must be a time such as 2026-12-01T08:00Z')
}
