/** The `.container` file of one component. Pure. */
import { byteCount, type Component, durationMs } from '../../catalog/index.ts'
import { containerFile, containerName, containerUnit, targetUnit } from '../names.ts'
import { environmentLines, fileLines } from './content.ts'
import { argvWords, descriptive, jsonArgv, quoteWord, unitPath } from './escape.ts'
import type { UnitLine, UnitSection } from './file.ts'
import { grantLines } from './grants.ts'
import { healthLines } from './health.ts'
import { foreignUnits, networkValues, usesHostNetwork } from './networks.ts'
import type { RenderInput } from './render.ts'
import { seconds, serviceLines } from './service.ts'
import type { Values } from './values.ts'

/** One component, with everything its file is made of. */
export interface Rendering {
  readonly input: RenderInput
  readonly name: string
  readonly component: Component
  /** `ownValues` of the app. */
  readonly values: Values
}

export function renderContainer(
  input: RenderInput,
  name: string,
  values: Values,
): { fileName: string; sections: readonly UnitSection[] } {
  const { manifest } = input
  const component = manifest.components[name] as Component
  const rendering: Rendering = { input, name, component, values }
  return {
    fileName: containerFile(manifest.id, name),
    sections: [
      { name: 'Unit', lines: unitLines(rendering) },
      {
        name: 'Container',
        lines: [
          ...identityLines(rendering),
          ...commandLines(rendering),
          ...environmentLines(rendering),
          ...fileLines(rendering),
          ...storageLines(rendering),
          ...grantLines(component),
          ...securityLines(component),
          ...healthLines(component),
        ],
      },
      { name: 'Service', lines: serviceLines(rendering) },
      { name: 'Quadlet', lines: [['DefaultDependencies', 'false']] },
      { name: 'Install', lines: [['WantedBy', targetUnit(manifest.id)]] },
    ],
  }
}

/**
 * `Wants`, not `Requires`, for services: a moment without its database must not tear an app down. A job that failed
 * holds back what waits for its end: that is what `Requires` is for.
 */
function unitLines({ input, name, component, values }: Rendering): readonly UnitLine[] {
  const { id, title } = input.manifest
  const others = Object.entries(component.dependsOn).sort(([a], [b]) => (a < b ? -1 : 1))
  const unitsWhere = (isJob: boolean) =>
    others
      .filter(([, { condition }]) => (condition === 'completed') === isJob)
      .map(([other]) => containerUnit(id, other))
  const [services, jobs] = [unitsWhere(false), unitsWhere(true)]
  const foreign = foreignUnits(input.manifest, name, values)
  return [
    ['Description', descriptive(`${title} / ${name}`)],
    ['PartOf', targetUnit(id)],
    ...listLine('Requires', jobs),
    ...listLine('Wants', [...services, ...foreign.networks]),
    ...listLine('After', [...jobs, ...services, ...foreign.networks, ...foreign.targets]),
    ['ConditionPathExists', `!${unitPath(input.holdPath)}`],
    ['StartLimitIntervalSec', '0'],
  ]
}

function listLine(key: string, units: readonly string[]): readonly UnitLine[] {
  return units.length === 0 ? [] : [[key, units.join(' ')]]
}

function identityLines({ input, name, component, values }: Rendering): UnitLine[] {
  const { id, version } = input.manifest
  const isOnHost = usesHostNetwork(component)
  return [
    ['ContainerName', containerName(id, name)],
    // The machine's network comes with the machine's name.
    ...(isOnHost ? [] : ([['HostName', name]] as const)),
    ['Image', input.imageIds.get(name) ?? ''],
    ['Pull', 'never'],
    ...networkValues(input.manifest, name, values).map((value): UnitLine => ['Network', value]),
    // On the machine's network nothing is published: Podman refuses to.
    ...(isOnHost ? [] : component.ports.map(port => publishLine(port))),
    ['LogDriver', 'journald'],
    ['Label', quoteWord(`app.id=${id}`)],
    ['Label', quoteWord(`app.component=${name}`)],
    ['Label', quoteWord(`app.generation=${input.generation}`)],
    ['Label', quoteWord(`app.version=${version}`)],
  ]
}

/** `lan` binds every address of the machine, over IPv4 and IPv6. */
function publishLine(port: Component['ports'][number]): UnitLine {
  const address = port.bind === 'local' ? '127.0.0.1:' : ''
  return ['PublishPort', `${address}${port.host}:${port.container}/${port.protocol}`]
}

/** Nothing is filled in here: every process of the machine can read arguments. */
function commandLines({ component }: Rendering): UnitLine[] {
  const lines: UnitLine[] = []
  if (component.entrypoint !== undefined) lines.push(['Entrypoint', jsonArgv(component.entrypoint)])
  if (component.command !== undefined) lines.push(['Exec', argvWords(component.command)])
  if (component.workdir !== undefined) lines.push(['WorkingDir', unitPath(component.workdir)])
  if (component.user !== undefined) {
    lines.push(['User', String(component.user.uid)], ['Group', String(component.user.gid)])
  }
  if (component.init) lines.push(['RunInit', 'true'])
  lines.push(['StopSignal', component.stop.signal])
  lines.push(['StopTimeout', String(seconds(durationMs(component.stop.grace)))])
  return lines
}

function storageLines({ input, component }: Rendering): UnitLine[] {
  const lines = component.mounts.map((mount): UnitLine => {
    if ('tmpfs' in mount) {
      return ['Tmpfs', `${unitPath(mount.path)}:size=${byteCount(mount.tmpfs)},mode=1777`]
    }
    const source = unitPath(`${input.dataFolder}/${mount.data}`)
    return ['Volume', `${source}:${unitPath(mount.path)}${mount.readOnly ? ':ro' : ''}`]
  })
  const shm = component.resources.shm
  return shm === undefined ? lines : [...lines, ['ShmSize', String(byteCount(shm))]]
}

function securityLines(component: Component): UnitLine[] {
  const { readOnlyRoot, noNewPrivileges } = component.security
  return [
    ...(noNewPrivileges ? ([['NoNewPrivileges', 'true']] as const) : []),
    ...(readOnlyRoot ? ([['ReadOnly', 'true']] as const) : []),
  ]
}
