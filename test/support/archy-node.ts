/** A lab node that runs archy as its owner would: configured, installed as a systemd user service, asked by command line. */
import { readFile } from 'node:fs/promises'
import type { AppView, NodeStatus } from '../../src/status.ts'
import type { LabNode } from './lab/index.ts'

/** Where lab nodes see the project and its own Node. */
const NODE_BINARY = '/opt/archy/node_modules/.bin/node'
const MAIN = '/opt/archy/src/main.ts'
const CONFIG = '.config/archipelago/config.yaml'

/** An install waits for images to load and apps to become healthy, on two busy cores. */
export const COMMAND_TIMEOUT_MS = 240_000

/** Runs `archy` in the node and resolves to its standard output. @throws when it ends with another code than 0. */
export async function archy(node: LabNode, ...args: readonly string[]): Promise<string> {
  return await node.ok([NODE_BINARY, MAIN, ...args], { timeoutMs: COMMAND_TIMEOUT_MS })
}

export async function statusOf(node: LabNode): Promise<NodeStatus> {
  return JSON.parse(await archy(node, 'status', '--json')) as NodeStatus
}

/** The configuration of a lab node; `more` is further YAML lines. */
export function labConfig(settings: {
  readonly originUrl: string
  readonly more?: string
}): string {
  return [
    'network: lab',
    `origin: {urls: [${JSON.stringify(settings.originUrl)}]}`,
    'catalog: {refreshInterval: 2s}',
    settings.more ?? '',
    '',
  ].join('\n')
}

/** Gives the node the root of trust, as its owner would copy it. */
export async function giveRoot(node: LabNode, rootFile: string): Promise<void> {
  await node.write('.config/archipelago/root.json', await readFile(rootFile))
}

/** Writes the configuration and (re)starts the service with it; resolves when the service says that it is ready. */
export async function runArchy(node: LabNode, config: string): Promise<void> {
  await node.write(CONFIG, config)
  const isInstalled =
    (await node.exec(['systemctl', '--user', 'is-active', '-q', 'archy'])).code === 0
  if (isInstalled)
    await node.ok(['systemctl', '--user', 'restart', 'archy'], { timeoutMs: COMMAND_TIMEOUT_MS })
  else await archy(node, 'node', 'install')
}

export async function appViewOf(node: LabNode, id: string): Promise<AppView | undefined> {
  return (await statusOf(node)).apps.find(app => app.id === id)
}
