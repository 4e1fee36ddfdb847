/** Where the story plays: two nodes and an origin, on real lab systems or as processes on loopback. */
import type { NodeStatus } from '../../src/status.ts'

export interface DemoNode {
  readonly name: string
  /** The address under which others reach the ports of its apps. */
  readonly host: string
  /** Writes the configuration and starts the node with it, or restarts it when it runs. */
  configure(settings: NodeSettings): Promise<void>
  /** Runs `archy` on the node; resolves to what it printed. */
  archy(...args: readonly string[]): Promise<string>
  status(): Promise<NodeStatus>
  /** Everything the node logged so far, JSON lines. */
  log(): Promise<string>
  /** An orderly reboot of the machine; only where `Stage.runsApps`. */
  reboot(): Promise<void>
  /** Power cut in the lab, kill -9 as a process: nothing that was not synced survives it in the lab. */
  crash(): Promise<void>
  /** Brings the node back after `crash`. */
  recover(): Promise<void>
}

export interface NodeSettings {
  readonly apps: readonly string[]
  readonly bootstrap: readonly string[]
  /** For example `20MiB` per second. */
  readonly downloadLimit?: string
}

export interface Stage extends AsyncDisposable {
  readonly mode: 'lab' | 'processes'
  /** True where apps really run; otherwise the story stops at "units rendered and checked". */
  readonly runsApps: boolean
  /** The address and port that the origin must serve on. */
  readonly origin: { readonly host: string; readonly port: number }
  readonly nodes: readonly [DemoNode, DemoNode]
  /** What the crash of this stage is called. */
  readonly crashName: string
  /** Prepares the nodes for a catalog that starts at this root file. */
  trust(rootFile: string): Promise<void>
}

export const NETWORK = 'demo'

/** The configuration of a node as YAML. */
export function configText(
  settings: NodeSettings,
  stage: {
    readonly originUrl: string
    readonly listen: string
    readonly mode: 'systemd' | 'render'
  },
): string {
  return [
    `network: ${NETWORK}`,
    `origin: {urls: [${JSON.stringify(stage.originUrl)}], rootFile: root.json}`,
    `apps: {${settings.apps.map(id => `${id}: {channel: stable}`).join(', ')}}`,
    'catalog: {refreshInterval: 2s}',
    'swarm:',
    `  listen: [${JSON.stringify(stage.listen)}]`,
    `  bootstrap: ${JSON.stringify(settings.bootstrap)}`,
    ...(settings.downloadLimit === undefined ? [] : [`  downloadLimit: ${settings.downloadLimit}`]),
    'storage: {minimumFree: 256MiB}',
    `orchestrator: {mode: ${stage.mode}}`,
    '',
  ].join('\n')
}
