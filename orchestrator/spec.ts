/** What the node must know of an installed app to run, watch and stop it, without its manifest. Pure. */
import { z } from 'zod'
import { type AppManifest, type Component, durationMs } from '../catalog/index.ts'
import { containerName, containerUnit, exportNetworkName, networkUnit } from './names.ts'
import { ownNetworks } from './units/networks.ts'

const port = z.strictObject({
  component: z.string(),
  container: z.int(),
  host: z.int(),
  protocol: z.enum(['tcp', 'udp']),
  bind: z.enum(['lan', 'local']),
})

const probe = z.discriminatedUnion('kind', [
  /** Podman runs the check inside the container. */
  z.strictObject({ kind: z.literal('exec') }),
  /** The node asks a published port on this machine. */
  z.strictObject({
    kind: z.literal('http'),
    port: z.int(),
    path: z.string(),
    timeoutMs: z.number(),
  }),
  z.strictObject({ kind: z.literal('tcp'), port: z.int(), timeoutMs: z.number() }),
  /** Nothing to ask: a process that stays up counts as healthy. */
  z.strictObject({ kind: z.literal('none') }),
])

const checked = {
  intervalMs: z.number(),
  timeoutMs: z.number(),
  /** Failures in a row until the check counts as failed. */
  failures: z.int(),
}

/** A check that the node makes itself, also inside the container. */
const check = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exec'), argv: z.array(z.string()), ...checked }),
  z.strictObject({ kind: z.literal('http'), port: z.int(), path: z.string(), ...checked }),
  z.strictObject({ kind: z.literal('tcp'), port: z.int(), ...checked }),
])

const component = z.strictObject({
  name: z.string(),
  /** A job that has ended well is `active (exited)` and has no container. */
  role: z.enum(['service', 'job']).default('service'),
  container: z.string(),
  unit: z.string(),
  dependsOn: z.array(z.string()),
  graceMs: z.number(),
  startBudgetMs: z.number(),
  /** Whether it is ready. */
  probe,
  /** Until this passes for the first time `probe` is not asked. One that Podman makes is not here. */
  startup: check.optional(),
  /** Whether it is alive at all: the only check that may restart it. */
  live: check.optional(),
})

/** A network that the app has and others do not, and the unit that makes it. */
const network = z.strictObject({ name: z.string(), unit: z.string() })

const need = z.strictObject({
  alias: z.string(),
  app: z.string(),
  /** The entry of the other app's `provides`, and the network that belongs to it. */
  export: z.string(),
  network: z.string(),
  versions: z.string().optional(),
  gate: z.enum(['installed', 'running', 'healthy']),
  isOptional: z.boolean(),
})

const provided = z.strictObject({
  name: z.string(),
  component: z.string(),
  /** Of the entry, or else of the app. */
  version: z.string(),
})

const appInterface = z.strictObject({
  id: z.string(),
  title: z.string(),
  port: z.int(),
  protocol: z.enum(['http', 'https', 'tcp', 'udp']),
  path: z.string(),
})

export const appSpecSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  version: z.string(),
  components: z.array(component),
  ports: z.array(port),
  interfaces: z.array(appInterface),
  networks: z.array(network).default([]),
  needs: z.array(need).default([]),
  provides: z.array(provided).default([]),
})

export type AppSpec = z.infer<typeof appSpecSchema>
export type ComponentSpec = z.infer<typeof component>
export type PortSpec = z.infer<typeof port>
export type Probe = z.infer<typeof probe>
export type CheckSpec = z.infer<typeof check>

/** For components that do not state a budget of their own: the default of the manifest's `health.startBudget`. */
const START_BUDGET_MS_DEFAULT = 300_000
/** A job that moves data to a new form must not be killed in the middle. */
const JOB_BUDGET_MS_DEFAULT = 3_600_000
/** Of a probe that the node derives; the default of the manifest's `health.timeout`. */
const PROBE_TIMEOUT_MS_DEFAULT = 5000

export function appSpec(manifest: AppManifest): AppSpec {
  const names = Object.keys(manifest.components).sort()
  const each = names.map(name => ({ name, component: manifest.components[name] as Component }))
  return {
    id: manifest.id,
    title: manifest.title,
    version: manifest.version,
    components: each.map(({ name, component }) => componentSpec(manifest, name, component)),
    ports: each.flatMap(({ name, component }) =>
      component.ports.map(port => ({ component: name, ...port })),
    ),
    interfaces: manifest.interfaces.map(({ id, title, port, protocol, path }) => ({
      id,
      title,
      port,
      protocol,
      path,
    })),
    networks: ownNetworks(manifest).map(({ name }) => ({ name, unit: networkUnit(name) })),
    needs: Object.entries(manifest.needs).map(([alias, entry]) => ({
      alias,
      app: entry.app,
      export: entry.export,
      network: exportNetworkName(entry.app, entry.export),
      ...(entry.versions === undefined ? {} : { versions: entry.versions }),
      gate: entry.gate,
      isOptional: entry.optional,
    })),
    provides: Object.entries(manifest.provides).map(([name, entry]) => ({
      name,
      component: entry.component,
      version: entry.version ?? manifest.version,
    })),
  }
}

/** How long a service may take to become ready, and a job to end. */
export function startBudgetMs({ role, health }: Component): number {
  if (health !== undefined) return durationMs(health.startBudget)
  return role === 'job' ? JOB_BUDGET_MS_DEFAULT : START_BUDGET_MS_DEFAULT
}

function componentSpec(manifest: AppManifest, name: string, component: Component): ComponentSpec {
  const { startup, live } = component.health ?? {}
  const isStartupPodmans = startup?.exec !== undefined && component.health?.exec !== undefined
  const startupCheck = isStartupPodmans ? undefined : checkOf(component, startup)
  const liveCheck = checkOf(component, live)
  return {
    name,
    role: component.role,
    container: containerName(manifest.id, name),
    unit: containerUnit(manifest.id, name),
    dependsOn: Object.keys(component.dependsOn).sort(),
    graceMs: durationMs(component.stop.grace),
    startBudgetMs: startBudgetMs(component),
    probe: probeOf(manifest, name, component),
    ...(startupCheck === undefined ? {} : { startup: startupCheck }),
    ...(liveCheck === undefined ? {} : { live: liveCheck }),
  }
}

function checkOf(
  component: Component,
  declared: NonNullable<Component['health']>['live'],
): CheckSpec | undefined {
  if (declared === undefined) return undefined
  const { exec, http, tcp } = declared
  const bounds = {
    intervalMs: durationMs(declared.interval),
    timeoutMs: durationMs(declared.timeout),
    failures: declared.failures,
  }
  if (exec !== undefined) return { kind: 'exec', argv: exec, ...bounds }
  if (http !== undefined) {
    return { kind: 'http', port: publishedPort(component, http.port), path: http.path, ...bounds }
  }
  if (tcp === undefined) return undefined
  return { kind: 'tcp', port: publishedPort(component, tcp.port), ...bounds }
}

/** The declared check; else TCP on a user interface of the component; else none. */
function probeOf(manifest: AppManifest, name: string, component: Component): Probe {
  const health = component.health
  if (component.role === 'job') return { kind: 'none' }
  if (health?.exec !== undefined) return { kind: 'exec' }
  if (health?.http !== undefined) {
    const port = publishedPort(component, health.http.port)
    return { kind: 'http', port, path: health.http.path, timeoutMs: durationMs(health.timeout) }
  }
  if (health?.tcp !== undefined) {
    const port = publishedPort(component, health.tcp.port)
    return { kind: 'tcp', port, timeoutMs: durationMs(health.timeout) }
  }
  const face = manifest.interfaces.find(
    each => each.component === name && each.kind === 'ui' && each.protocol !== 'udp',
  )
  if (face === undefined) return { kind: 'none' }
  return { kind: 'tcp', port: face.port, timeoutMs: PROBE_TIMEOUT_MS_DEFAULT }
}

/** A health port is a host port; one that is only known inside the container is looked up. */
function publishedPort(component: Component, port: number): number {
  const ports = component.ports.filter(each => each.protocol === 'tcp')
  if (ports.some(each => each.host === port)) return port
  return ports.find(each => each.container === port)?.host ?? port
}
