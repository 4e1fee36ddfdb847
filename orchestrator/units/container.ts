/** The `.container` file of one component. Pure. */
import { byteCount, type Component, durationMs, parseTemplate } from '../../catalog/index.ts'
import {
  containerFile,
  containerName,
  containerUnit,
  networkFile,
  secretName,
  targetUnit,
} from '../names.ts'

import { descriptive, expandable, jsonArgv, quoteWord, unitPath } from './escape.ts'
import type { UnitLine, UnitSection } from './file.ts'
import type { RenderInput } from './render.ts'

/** How long Podman needs to remove a container after the process ended, at least; a stop beyond it is a failure. */
const STOP_MARGIN_SECONDS = 15
/** Time for everything around the app's own start: namespaces, network, volumes. */
const START_MARGIN_SECONDS = 30
/** While an app starts it is asked often, so that those who wait for it wait no longer than needed. */
const STARTUP_INTERVAL = '2s'
const START_BUDGET_MS_DEFAULT = 300_000

export function renderContainer(
  input: RenderInput,
  name: string,
): { fileName: string; sections: readonly UnitSection[] } {
  const { manifest } = input
  const component = manifest.components[name] as Component
  return {
    fileName: containerFile(manifest.id, name),
    sections: [
      { name: 'Unit', lines: unitLines(input, name, component) },
      {
        name: 'Container',
        lines: [
          ...identityLines(input, name, component),
          ...commandLines(component),
          ...environmentLines(manifest.id, component),
          ...storageLines(input, component),
          ...securityLines(component),
          ...healthLines(component),
        ],
      },
      { name: 'Service', lines: serviceLines(component) },
      { name: 'Quadlet', lines: [['DefaultDependencies', 'false']] },
      { name: 'Install', lines: [['WantedBy', targetUnit(manifest.id)]] },
    ],
  }
}

/** `Wants`, not `Requires`: a moment without its database must not tear an app down. */
function unitLines(input: RenderInput, name: string, component: Component): readonly UnitLine[] {
  const { id, title } = input.manifest
  const waitsFor = Object.keys(component.dependsOn)
    .sort()
    .map(other => containerUnit(id, other))
    .join(' ')
  return [
    ['Description', descriptive(`${title} / ${name}`)],
    ['PartOf', targetUnit(id)],
    ...(waitsFor === ''
      ? []
      : ([
          ['Wants', waitsFor],
          ['After', waitsFor],
        ] as const)),
    ['StartLimitIntervalSec', '0'],
  ]
}

function identityLines(input: RenderInput, name: string, component: Component): UnitLine[] {
  const { id, version } = input.manifest
  const aliases = (component.aliases ?? [name]).map(alias => `alias=${alias}`)
  return [
    ['ContainerName', containerName(id, name)],
    ['HostName', name],
    ['Image', input.imageIds.get(name) ?? ''],
    ['Pull', 'never'],
    ['Network', [networkFile(id), aliases.join(',')].filter(part => part !== '').join(':')],
    ...component.ports.map(port => publishLine(port)),
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

function commandLines(component: Component): UnitLine[] {
  const lines: UnitLine[] = []
  if (component.entrypoint !== undefined) lines.push(['Entrypoint', jsonArgv(component.entrypoint)])
  if (component.command !== undefined) {
    lines.push(['Exec', component.command.map(word => quoteWord(word)).join(' ')])
  }
  if (component.workdir !== undefined) lines.push(['WorkingDir', unitPath(component.workdir)])
  if (component.user !== undefined) {
    lines.push(['User', String(component.user.uid)], ['Group', String(component.user.gid)])
  }
  if (component.init) lines.push(['RunInit', 'true'])
  lines.push(['StopSignal', component.stop.signal])
  lines.push(['StopTimeout', String(seconds(durationMs(component.stop.grace)))])
  return lines
}

/** A value that holds a secret never stands in the file: it becomes a Podman secret. */
function environmentLines(id: string, component: Component): UnitLine[] {
  const variables = Object.entries(component.env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]): UnitLine => {
      const parts = parseTemplate(value)
      if (parts.some(part => part.kind === 'secret')) {
        return ['Secret', `${secretName(id, value)},type=env,target=${key}`]
      }
      const text = parts.map(part => (part.kind === 'literal' ? part.text : '')).join('')
      return ['Environment', quoteWord(`${key}=${text}`)]
    })
  const files = component.secretFiles.map(({ secret, path, owner }): UnitLine => {
    const name = secretName(id, `\${secrets.${secret}}`)
    const target = unitPath(path)
    return [
      'Secret',
      `${name},type=mount,target=${target},uid=${owner.uid},gid=${owner.gid},mode=0400`,
    ]
  })
  return [...variables, ...files]
}

function storageLines(input: RenderInput, component: Component): UnitLine[] {
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
  const { capabilities, readOnlyRoot, noNewPrivileges } = component.security
  return [
    ['DropCapability', 'all'],
    ...[...capabilities].sort().map((name): UnitLine => ['AddCapability', `CAP_${name}`]),
    ...(noNewPrivileges ? ([['NoNewPrivileges', 'true']] as const) : []),
    ...(readOnlyRoot ? ([['ReadOnly', 'true']] as const) : []),
  ]
}

/**
 * Only checks that run inside the container are Podman's. The unit then counts as started when the check passes,
 * so that everything ordered after it waits, also at boot without the node.
 */
function healthLines(component: Component): UnitLine[] {
  const health = component.health
  if (health?.exec === undefined) return []
  const command = healthCommand(health.exec)
  return [
    ['Notify', 'healthy'],
    ['HealthCmd', command],
    ['HealthInterval', health.interval],
    ['HealthTimeout', health.timeout],
    ['HealthRetries', String(health.failures)],
    ['HealthStartupCmd', command],
    ['HealthStartupInterval', STARTUP_INTERVAL],
    ['HealthStartupTimeout', health.timeout],
  ]
}

/** Podman takes a JSON array of one word for a shell command, and of several for an argv. */
function healthCommand(argv: readonly string[]): string {
  if (argv.length > 1) return jsonArgv(argv)
  return expandable(`'${(argv[0] ?? '').replaceAll("'", "'\\''")}'`)
}

/**
 * Limits stand in `[Service]`, where systemd ignores one whose controller is not delegated. Podman's own `--memory`
 * and `--pids-limit` would refuse to start the app there.
 */
function serviceLines(component: Component): UnitLine[] {
  const { memory, pids, cpuPercent } = component.resources
  const budget = component.health?.startBudget
  const budgetMs = budget === undefined ? START_BUDGET_MS_DEFAULT : durationMs(budget)
  const graceSeconds = seconds(durationMs(component.stop.grace))
  return [
    ['Restart', 'always'],
    ['RestartSec', '1s'],
    ['RestartSteps', '8'],
    ['RestartMaxDelaySec', '5min'],
    ['TimeoutStartSec', String(seconds(budgetMs) + START_MARGIN_SECONDS)],
    ['TimeoutStopSec', String(graceSeconds + STOP_MARGIN_SECONDS)],
    // What a program without a handler says when it obeys SIGTERM: an orderly end, not a failure.
    ['SuccessExitStatus', '143'],
    ...(memory === undefined ? [] : ([['MemoryMax', String(byteCount(memory))]] as const)),
    ...(pids === undefined ? [] : ([['TasksMax', String(pids)]] as const)),
    ...(cpuPercent === undefined ? [] : ([['CPUQuota', `${cpuPercent}%`]] as const)),
  ]
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
