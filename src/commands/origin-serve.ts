/** `archy origin serve`: the public part of an origin folder over HTTP or HTTPS. */
import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { originFolder } from '../../catalog/publish/index.ts'
import { createLog } from '../core/log.ts'
import { serveOrigin } from '../http/origin-server.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

interface ServeCommandOptions extends JsonOption {
  readonly host: string
  readonly port: number
  readonly tlsKey?: string
  readonly tlsCert?: string
  readonly verbose: boolean
}

export function serveCommand(context: OriginCommandContext): Command {
  return new Command('serve')
    .argument('<dir>')
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
