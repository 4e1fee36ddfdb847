/** What the node must know of an installed app to run, watch and stop it, without its manifest. Pure. */
import { z } from 'zod'
import { type AppManifest, type Component, durationMs } from '../catalog/index.ts'
import { containerName, containerUnit } from './names.ts'

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

const component = z.strictObject({
  name: z.string(),
  container: z.string(),
  unit: z.string(),
  dependsOn: z.array(z.string()),
  graceMs: z.number(),
  startBudgetMs: z.number(),
  probe,
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
})

export type AppSpec = z.infer<typeof appSpecSchema>
export type ComponentSpec = z.infer<typeof component>
export type PortSpec = z.infer<typeof port>
export type Probe = z.infer<typeof probe>

/** For components that do not state a budget of their own: the default of the manifest's `health.startBudget`. */
const START_BUDGET_MS_DEFAULT = 300_000
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
  }
}

function componentSpec(manifest: AppManifest, name: string, component: Component): ComponentSpec {
  const budget = component.health?.startBudget
  return {
    name,
    container: containerName(manifest.id, name),
    unit: containerUnit(manifest.id, name),
    dependsOn: Object.keys(component.dependsOn).sort(),
    graceMs: durationMs(component.stop.grace),
    startBudgetMs: budget === undefined ? START_BUDGET_MS_DEFAULT : durationMs(budget),
    probe: probeOf(manifest, name, component),
  }
}

/** The declared check; else TCP on a user interface of the component; else none. */
function probeOf(manifest: AppManifest, name: string, component: Component): Probe {
  const health = component.health
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
