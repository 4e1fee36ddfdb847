/** The stage of real systems: two Debian 13 nodes with systemd and Podman; this process is on the origin host's network. */
import { archy, giveRoot, runArchy, statusOf } from '../support/archy-node.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'
import { configText, type DemoNode, type Stage } from './stage.ts'

const ORIGIN_PORT = 8000
const LISTEN = '/ip4/0.0.0.0/tcp/4001'

export async function openLabStage(): Promise<Stage> {
  const lab = await attachLab()
  const origin = { host: lab.ip('origin'), port: ORIGIN_PORT }
  const originUrl = `http://${origin.host}:${origin.port}/`
  const machines = [lab.node('n1'), lab.node('n2')] as const
  return {
    mode: 'lab',
    runsApps: true,
    origin,
    nodes: [demoNode('node 1', machines[0], originUrl), demoNode('node 2', machines[1], originUrl)],
    crashName: 'loses power',
    async trust(rootFile) {
      for (const machine of machines) await giveRoot(machine, rootFile)
    },
    async [Symbol.asyncDispose]() {
      // The lab itself ends with the command that runs in it.
    },
  }
}

function demoNode(name: string, machine: LabNode, originUrl: string): DemoNode {
  return {
    name,
    host: machine.ip,
    configure: async settings =>
      await runArchy(machine, configText(settings, { originUrl, listen: LISTEN, mode: 'systemd' })),
    archy: (...args) => archy(machine, ...args),
    status: () => statusOf(machine),
    log: () => machine.ok(['journalctl', '--user', '--no-pager', '-o', 'cat', '-u', 'archy']),
    reboot: () => machine.reboot(),
    crash: () => machine.powerCut(),
    recover: () => machine.boot(),
  }
}
