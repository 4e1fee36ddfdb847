/** `archy origin`: what a publisher does, from the first key to serving the files. */
import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import {
  type AddedApp,
  type AddProgress,
  addApp,
  type InitializedOrigin,
  initOrigin,
  originFolder,
  type Publication,
  publishOrigin,
} from '../../catalog/publish/index.ts'
import type { Clock } from '../core/clock.ts'
import { createLog } from '../core/log.ts'
import { serveOrigin } from '../http/origin-server.ts'
import type { CommandIo } from './io.ts'

export interface OriginCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  /** Ends `origin serve`. */
  readonly stopped: AbortSignal
}

interface JsonOption {
  readonly json: boolean
}

/** `init`, `add`, `publish` and `serve`; failures are thrown as `NodeError` for the caller to report. */
export function originCommand(context: OriginCommandContext): Command {
  const command = new Command('origin').description(
    'publish apps: make, fill, sign, serve an origin',
  )
  command
    .command('init <dir>')
    .description('make keys and an empty signed catalog in a new folder')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: JsonOption) => await init(context, dir, options))
  command
    .command('add <dir> <app-dir>')
    .description('check an app folder and draft a release of it; "publish" makes it visible')
    .option('--channel <name>', 'the channel that it becomes the head of', 'stable')
    .option('--json', 'print JSON', false)
    .action(
      async (dir: string, app: string, options: AddCommandOptions) =>
        await add(context, dir, app, options),
    )
  command
    .command('publish <dir>')
    .description('sign what is drafted and make it the catalog')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: JsonOption) => await publish(context, dir, options))
  command
    .command('serve <dir>')
    .description('serve the origin over HTTP, or HTTPS with --tls-key and --tls-cert')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', parsePort, 8080)
    .option('--tls-key <file>', 'PEM file with the private key')
    .option('--tls-cert <file>', 'PEM file with the certificate chain')
    .option('--verbose', 'log every request', false)
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: ServeCommandOptions, self: Command) => {
      if ((options.tlsKey === undefined) !== (options.tlsCert === undefined)) {
        self.error('error: --tls-key and --tls-cert belong together')
      }
      await serve(context, dir, options)
    })
  return command
}

async function init({ io, clock }: OriginCommandContext, dir: string, { json }: JsonOption) {
  const made = await initOrigin(dir, { nowMs: clock.nowMs() })
  io.stdout(json ? `${JSON.stringify(initView(made))}\n` : initText(made, dir))
}

interface AddCommandOptions extends JsonOption {
  readonly channel: string
}

async function add(
  { io }: OriginCommandContext,
  dir: string,
  app: string,
  { channel, json }: AddCommandOptions,
): Promise<void> {
  const progress = io.isTty ? createProgressLine(io) : undefined
  try {
    const added = await addApp(dir, app, {
      channel,
      ...(progress === undefined ? {} : { onProgress: progress.show }),
    })
    progress?.clear()
    io.stdout(json ? `${JSON.stringify(added)}\n` : addedText(added, dir))
  } finally {
    progress?.clear()
  }
}

async function publish({ io, clock }: OriginCommandContext, dir: string, { json }: JsonOption) {
  const publication = await publishOrigin(dir, { nowMs: clock.nowMs() })
  io.stdout(json ? `${JSON.stringify(publication)}\n` : publicationText(publication))
}

interface ServeCommandOptions extends JsonOption {
  readonly host: string
  readonly port: number
  readonly tlsKey?: string
  readonly tlsCert?: string
  readonly verbose: boolean
}

async function serve(
  { io, stopped }: OriginCommandContext,
  dir: string,
  options: ServeCommandOptions,
): Promise<void> {
  const { host, port, tlsKey, tlsCert } = options
  const tls =
    tlsKey === undefined || tlsCert === undefined
      ? {}
      : { tls: { key: await readFile(tlsKey, 'utf8'), cert: await readFile(tlsCert, 'utf8') } }
  const log = createLog(options.verbose ? 'debug' : 'info')
  await using server = await serveOrigin(originFolder(dir).public, { host, port, log, ...tls })
  const { url } = server
  io.stdout(options.json ? `${JSON.stringify({ url, port: server.port })}\n` : `serving ${url}\n`)
  await new Promise<void>(resolve => {
    if (stopped.aborted) resolve()
    else stopped.addEventListener('abort', () => resolve(), { once: true })
  })
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('a port is a number from 0 to 65535')
}

function createProgressLine(io: CommandIo) {
  let shown = ''
  return {
    show({ doneBytes, totalBytes }: AddProgress): void {
      const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100)
      const line = `${percent} % of ${formatBytes(totalBytes)}`
      if (line === shown) return
      shown = line
      io.stderr(`\r\u001b[2K${line}`)
    },
    clear(): void {
      if (shown !== '') io.stderr('\r\u001b[2K')
      shown = ''
    },
  }
}

function initView({ root, rootPath, publicFolder, publication }: InitializedOrigin) {
  return { root: Buffer.from(root).toString('utf8'), rootPath, publicFolder, ...publication }
}

function initText({ rootPath }: InitializedOrigin, dir: string): string {
  return [
    `The origin ${dir} is ready; its catalog is empty.`,
    `Nodes trust it by its root: ${rootPath}`,
    `Keep the folder "keys" to yourself, and a copy of it in another place.`,
    '',
  ].join('\n')
}

function addedText(added: AddedApp, dir: string): string {
  const { app, version, channel, seq, totalSize, newBytes, outcome } = added
  const what = `${app} ${version} (release ${seq}, ${formatBytes(totalSize)})`
  if (outcome === 'unchanged') return `${what} is already the head of ${channel}.\n`
  const size = `${formatBytes(newBytes)} of it new`
  return `${what} is drafted for ${channel}, ${size}. Next: archy origin publish ${dir}\n`
}

function publicationText({ versions, entryCount, expiresMs }: Publication): string {
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  const entries = entryCount === 1 ? '1 entry' : `${entryCount} entries`
  return `Published catalog ${versions.timestamp} with ${entries}; publish again before ${until}.\n`
}

function formatBytes(count: number): string {
  return count < 1_000_000 ? `${Math.ceil(count / 1000)} kB` : `${(count / 1e6).toFixed(1)} MB`
}
