/** `archy node`: configure, run, and hand over to systemd. */

import { randomBytes } from 'node:crypto'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { createHost, renderServiceUnit } from '../../orchestrator/index.ts'
import { parseConfig, readConfig } from '../config.ts'
import { systemClock } from '../core/clock.ts'
import { NodeError } from '../core/errors.ts'
import { pathExists, writeFileAtomic } from '../core/files.ts'
import { createLog } from '../core/log.ts'
import type { Folders } from '../folders.ts'
import { serveControl } from '../http/control-server.ts'
import { serveMetrics } from '../http/metrics-server.ts'
import { startNode } from '../node.ts'
import { notifyServiceManager } from '../service-manager.ts'
import { type NodeStatus, nodeStatus } from '../status.ts'
import type { CommandIo } from './io.ts'
import { addResetRoot } from './node-reset-root.ts'

class NodeCommandError extends NodeError<'CONFIG_EXISTS'> {}

export interface NodeCommandContext {
  readonly io: CommandIo
  readonly folders: Folders
  /** Where systemd listens for `--ready`, when it started us. */
  readonly notifySocket: string | undefined
  /** Aborts on SIGTERM and SIGINT. */
  readonly stopped: AbortSignal
}

export function nodeCommand(context: NodeCommandContext): Command {
  const command = new Command('node').description('configure and run this node')
  command
    .command('run')
    .description('run the node in the foreground until SIGTERM')
    .option('--config <file>', 'configuration file', context.folders.configFile)
    .action(async (options: { config: string }) => await run(context, options.config))
  command
    .command('init')
    .description('write a configuration')
    .requiredOption('--origin <url>', 'where the catalog and the blobs are')
    .requiredOption('--root <file>', "the catalog's first root, as the publisher gave it to you")
    .option('--network <name>', 'nodes of one network find each other', 'home')
    .option('--config <file>', 'configuration file', context.folders.configFile)
    .action(async (options: InitOptions) => await init(context, options))
  command
    .command('install')
    .description('install and start the systemd user service')
    .option('--dry-run', 'print the unit and change nothing', false)
    .action(async (options: { dryRun: boolean }) => await install(context, options.dryRun))
  addResetRoot(command, { ...context, clock: systemClock })
  return command
}

async function run({ io, folders, notifySocket, stopped }: NodeCommandContext, file: string) {
  const config = await readConfig(file)
  const log = createLog(config.log)
  const clock = systemClock
  await using node = await startNode(config, folders, {
    clock,
    log,
    random: Math.random,
    randomBytes: count => randomBytes(count),
  })
  await using _control = await serveControl(
    { node, network: config.network, clock, log },
    folders.socket,
  )
  await using _metrics = await openMetrics(config.metrics.listen, () =>
    nodeStatus(node, config.network, clock.nowMs()),
  )
  log.info('node ready', { peerId: node.swarm.peerId, addresses: node.swarm.addresses() })
  await notifyServiceManager('--ready', notifySocket, log)
  if (io.isTty)
    io.stderr(
      `Node ${node.swarm.peerId} is ready. Ask it with "archy status"; end it with Ctrl-C.\n`,
    )
  if (!stopped.aborted) {
    await new Promise<void>(done => stopped.addEventListener('abort', () => done(), { once: true }))
  }
  log.info('node stops')
  await notifyServiceManager('--stopping', notifySocket, log)
}

/** @throws MetricsError `METRICS_LISTEN_FAILED` */
async function openMetrics(
  listen: string | null,
  status: () => Promise<NodeStatus>,
): Promise<AsyncDisposable | undefined> {
  if (listen === null) return undefined
  const { hostname, port } = new URL(`http://${listen}`)
  return await serveMetrics(status, { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
}

interface InitOptions {
  readonly origin: string
  readonly root: string
  readonly network: string
  readonly config: string
}

async function init({ io }: NodeCommandContext, { origin, root, network, config }: InitOptions) {
  if (await pathExists(config)) {
    throw new NodeCommandError('CONFIG_EXISTS', `${config} exists; edit it, or move it away first`)
  }
  const text = [
    '# Configuration of this node. Every setting and its default: docs/configuration.md',
    `network: ${network}`,
    'origin:',
    `  urls: [${JSON.stringify(origin)}]`,
    '  rootFile: root.json',
    '# The apps to keep installed, for example "notes: {channel: stable}"',
    'apps: {}',
    '',
  ].join('\n')
  parseConfig(text, config)
  await mkdir(dirname(config), { recursive: true })
  await copyFile(resolve(root), join(dirname(config), 'root.json'))
  await writeFileAtomic(config, text)
  io.stdout(`Wrote ${config}. Start the node with "archy node install" or "archy node run".\n`)
}

async function install({ io, folders }: NodeCommandContext, isDryRun: boolean) {
  const main = join(import.meta.dirname, '..', 'main.ts')
  const unit = renderServiceUnit({ node: process.execPath, main })
  if (isDryRun) {
    io.stdout(unit)
    return
  }
  await readConfig(folders.configFile)
  const path = join(folders.userUnits, 'archy.service')
  await writeFileAtomic(path, unit)
  const { systemd } = createHost()
  await systemd.daemonReload()
  await systemd.enable('archy.service')
  await systemd.startAndWait('archy.service', SERVICE_START_TIMEOUT_MS)
  io.stdout(`Installed and started ${path}. Its log: journalctl --user -u archy\n`)
}

/** The service says that it is ready once its store is open and its peers can reach it. */
const SERVICE_START_TIMEOUT_MS = 120_000
