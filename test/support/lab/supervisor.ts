/** The one process that a lab hangs on: `node supervisor.ts RUN_FOLDER PROJECT`, inside the lab's own namespaces. */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { projectBinds } from './binds.ts'
import { openControl, type Request, type Status } from './control.ts'
import { openDns } from './dns.ts'
import { LabError } from './errors.ts'
import { createMachine, type Machine } from './machine.ts'
import {
  addressV4,
  addressV6,
  checkName,
  createNetwork,
  FIRST_HOST_INDEX,
  FIRST_NODE_INDEX,
  GATEWAY_V4,
  LAST_INDEX,
} from './network.ts'

const DNS_PORT = 53
const BASE_FOLDER = '/run/lab/base'

type Verb = Request['verb']
type Verbs = { [V in Verb]: (request: Extract<Request, { verb: V }>) => Promise<void> }

async function supervise(runFolder: string, project: string): Promise<void> {
  const network = createNetwork()
  const binds = await projectBinds(project)
  const nodes = new Map<string, Machine>()
  const indexes = new Map<string, number>()
  const hosts = new Map<string, number>()

  function lookup(name: string): readonly string[] {
    if (name === 'lab-gw') return [GATEWAY_V4]
    const index = indexes.get(name)
    return index === undefined ? [] : [addressV4(index), addressV6(index)]
  }

  function hostLines(): string {
    const lines = [...indexes].flatMap(([name, index]) => [
      `${addressV4(index)} ${name}`,
      `${addressV6(index)} ${name}`,
    ])
    return `${['127.0.0.1 localhost', '::1 localhost', `${GATEWAY_V4} lab-gw`, ...lines].join('\n')}\n`
  }

  /** Takes the next address of a range for a new name. */
  function claim(name: string, first: number, last: number): number {
    if (indexes.has(checkName(name)))
      throw new LabError('LAB_USAGE', `there is a "${name}" already`)
    const used = new Set(indexes.values())
    for (let index = first; index <= last; index++) {
      if (used.has(index)) continue
      indexes.set(name, index)
      return index
    }
    throw new LabError('LAB_USAGE', `no address is left for "${name}"`)
  }

  function node(name: string): Machine {
    const machine = nodes.get(name)
    if (machine !== undefined) return machine
    throw new LabError('LAB_NODE_UNKNOWN', `no node "${name}"; there are ${[...nodes.keys()]}`)
  }

  function known(name: string): string {
    if (indexes.has(name)) return name
    throw new LabError(
      'LAB_NODE_UNKNOWN',
      `no "${name}" in the lab; there are ${[...indexes.keys()]}`,
    )
  }

  const verbs: Verbs = {
    async status() {},
    async addNode({ name, diskBytes }) {
      const index = claim(name, FIRST_NODE_INDEX, FIRST_HOST_INDEX - 1)
      const folders = {
        base: BASE_FOLDER,
        own: join(runFolder, 'nodes', name),
        share: join(runFolder, 'share'),
      }
      await mkdir(folders.own, { recursive: true })
      const deps = { network, folders, binds, hostLines }
      nodes.set(name, await createMachine(deps, name, index, diskBytes))
    },
    async addHost({ name }) {
      const index = claim(name, FIRST_HOST_INDEX, LAST_INDEX)
      hosts.set(name, index)
      await network.attach(name, index)
    },
    boot: ({ name }) => node(name).boot(),
    off: ({ name }) => node(name).off(),
    reboot: ({ name }) => node(name).reboot(),
    powerCut: ({ name }) => node(name).powerCut(),
    partition: ({ a, b }) => network.partition(known(a), known(b)),
    heal: () => network.heal(),
    link: ({ name, isUp }) => network.link(known(name), isUp),
    shape: ({ name, rateBitsPerSecond }) => network.shape(known(name), rateBitsPerSecond),
  }

  function status(): Status {
    return {
      nodes: Object.fromEntries([...nodes].map(([name, machine]) => [name, machine.status()])),
      hosts: Object.fromEntries(
        [...hosts].map(([name, index]) => [name, { ip: addressV4(index) }]),
      ),
    }
  }

  async function handle<V extends Verb>(request: Extract<Request, { verb: V }>): Promise<Status> {
    const run: Verbs[V] = verbs[request.verb as V]
    await run(request)
    return status()
  }

  await using _dns = await openDns(GATEWAY_V4, DNS_PORT, lookup)
  await using _control = await openControl(join(runFolder, 'control'), handle)
  await once(process, 'SIGTERM')
}

const [runFolder = '', project = ''] = process.argv.slice(2)
await supervise(runFolder, project)
