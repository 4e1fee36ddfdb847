/** A `.container` file becomes a service that runs `podman run`. Pure. */
import { absolutePath, type Conversion, imageSource, podmanCommand } from './conversion.ts'
import {
  argFlags,
  booleanFlags,
  eachFlag,
  type FlagTable,
  listFlags,
  pairFlags,
  textFlags,
} from './flags.ts'
import { networkFlags } from './network-flags.ts'
import { joinPod } from './pod.ts'
import { QuadletProblem } from './problem.ts'
import { type Reading, reading } from './reading.ts'
import { securityFlags } from './security.ts'
import { mountFlags, volumeFlags } from './storage.ts'
import { USER_MAPPING_KEYS, userMapping } from './user-mapping.ts'

const TEXT: FlagTable = {
  Timezone: '--tz',
  PidsLimit: '--pids-limit',
  ShmSize: '--shm-size',
  Entrypoint: '--entrypoint',
  WorkingDir: '--workdir',
  IP: '--ip',
  IP6: '--ip6',
  HostName: '--hostname',
  StopSignal: '--stop-signal',
  StopTimeout: '--stop-timeout',
  Pull: '--pull',
}
const EACH: FlagTable = {
  NetworkAlias: '--network-alias',
  Ulimit: '--ulimit',
  DNS: '--dns',
  DNSOption: '--dns-option',
  DNSSearch: '--dns-search',
  GroupAdd: '--group-add',
  AddHost: '--add-host',
  Tmpfs: '--tmpfs',
}
const BOOLEAN: FlagTable = {
  RunInit: '--init',
  EnvironmentHost: '--env-host',
  ReadOnlyTmpfs: '--read-only-tmpfs',
}
const PAIRS: FlagTable = { Environment: '--env', Label: '--label', Annotation: '--annotation' }
const HEALTH: FlagTable = {
  HealthCmd: '--health-cmd',
  HealthInterval: '--health-interval',
  HealthOnFailure: '--health-on-failure',
  HealthLogDestination: '--health-log-destination',
  HealthMaxLogCount: '--health-max-log-count',
  HealthMaxLogSize: '--health-max-log-size',
  HealthRetries: '--health-retries',
  HealthStartPeriod: '--health-start-period',
  HealthTimeout: '--health-timeout',
  HealthStartupCmd: '--health-startup-cmd',
  HealthStartupInterval: '--health-startup-interval',
  HealthStartupRetries: '--health-startup-retries',
  HealthStartupSuccess: '--health-startup-success',
  HealthStartupTimeout: '--health-startup-timeout',
}

/** Every key of `[Container]` that Podman 5.4.2 knows. */
export const CONTAINER_KEYS: ReadonlySet<string> = new Set([
  ...[TEXT, EACH, BOOLEAN, PAIRS, HEALTH].flatMap(Object.keys),
  ...['AddCapability', 'AddDevice', 'AutoUpdate', 'CgroupsMode', 'ContainerName'],
  ...['ContainersConfModule', 'DropCapability', 'EnvironmentFile', 'Exec', 'ExposeHostPort'],
  ...['GlobalArgs', 'Group', 'Image', 'LogDriver', 'LogOpt', 'Mask', 'Mount', 'Network'],
  ...['NoNewPrivileges', 'Notify', 'Pod', 'PodmanArgs', 'PublishPort', 'ReadOnly', 'Rootfs'],
  ...['SeccompProfile', 'Secret', 'SecurityLabelDisable', 'SecurityLabelFileType'],
  ...['SecurityLabelLevel', 'SecurityLabelNested', 'SecurityLabelType', 'ServiceName'],
  ...['StartWithPod', 'Sysctl', 'Unmask', 'User', 'VolatileTmp', 'Volume'],
  ...USER_MAPPING_KEYS,
])

const CID_FILE = '--cidfile=%t/%N.cid'

/** What Podman calls the container; may hold specifiers of systemd. */
export function containerName(own: Reading, fileName: string): string {
  return own.filled('ContainerName') ?? (fileName.includes('@') ? 'systemd-%p_%i' : 'systemd-%N')
}

/** @throws QuadletProblem */
export function convertContainer(conversion: Conversion): void {
  const { own, draft, fileName } = conversion
  const given = reading(conversion.sections, 'Service')
  const source = imageOrRootfs(conversion)
  draft.add('Service', 'Environment', 'PODMAN_SYSTEMD_UNIT=%n')
  killMode(conversion, given)
  const remove = [...podmanCommand(conversion), 'rm', '-v', '-f', '-i', CID_FILE]
  draft.addCommand('Service', 'ExecStop', remove)
  draft.addCommand('Service', 'ExecStopPost', [`-${remove[0]}`, ...remove.slice(1)])
  draft.add('Service', 'Delegate', 'yes')
  const name = containerName(own, fileName)
  const argv = [
    ...[...podmanCommand(conversion), 'run', '--name', name, CID_FILE, '--replace', '--rm'],
    ...textFlags(own, { LogDriver: '--log-driver' }),
    ...listFlags(own, { LogOpt: '--log-opt' }),
    ...cgroupFlags(own),
    ...[...textFlags(own, TEXT), ...eachFlag(own, EACH), ...booleanFlags(own, BOOLEAN)],
    ...networkFlags(conversion),
    ...notifyFlags(conversion, given),
    ...securityFlags(conversion),
    ...userFlags(own),
    ...userMapping(own),
    ...volumeFlags(conversion),
    ...labelFlags(own),
    ...exposedPorts(own),
    ...eachFlag(own, { PublishPort: '--publish' }),
    ...pairFlags(own, PAIRS),
    ...own.args('Mask').flatMap(path => ['--security-opt', `mask=${path}`]),
    ...own.args('Unmask').flatMap(path => ['--security-opt', `unmask=${path}`]),
    ...own.args('EnvironmentFile').flatMap(path => ['--env-file', absolutePath(conversion, path)]),
    ...argFlags(own, { Secret: '--secret' }),
    ...mountFlags(conversion),
    ...textFlags(own, HEALTH),
    ...joinPod(conversion),
    ...own.args('PodmanArgs'),
    ...source,
    ...(own.lastArgs('Exec') ?? []),
  ]
  draft.addCommand('Service', 'ExecStart', argv)
}

function imageOrRootfs(conversion: Conversion): readonly string[] {
  const image = conversion.own.filled('Image')
  const rootfs = conversion.own.filled('Rootfs')
  if (image !== undefined && rootfs !== undefined) {
    throw new QuadletProblem('the Image And Rootfs keys conflict can not be specified together')
  }
  if (rootfs !== undefined) return ['--rootfs', rootfs]
  if (image !== undefined) return [imageSource(conversion, image)]
  throw new QuadletProblem('no Image or Rootfs key specified')
}

/** Conmon must be able to end in peace, so nothing but these two works. */
function killMode({ draft }: Conversion, given: Reading): void {
  const mode = given.text('KillMode')
  if (mode === undefined) draft.set('Service', 'KillMode', 'mixed')
  else if (mode !== 'mixed' && mode !== 'control-group') {
    throw new QuadletProblem(`invalid KillMode '${mode}'`)
  }
}

function cgroupFlags(own: Reading): readonly string[] {
  const mode = own.filled('CgroupsMode')
  return mode === undefined ? ['--cgroups=split'] : ['--cgroups', mode]
}

function notifyFlags({ own, draft }: Conversion, given: Reading): readonly string[] {
  const type = given.text('Type')
  if (type !== undefined && type !== 'notify' && type !== 'oneshot') {
    throw new QuadletProblem(`invalid service Type '${type}'`)
  }
  const flags: string[] = []
  if (type !== 'oneshot') {
    const isHealthy = own.text('Notify')?.toLowerCase() === 'healthy'
    const who = isHealthy ? 'healthy' : own.flag('Notify') ? 'container' : 'conmon'
    flags.push(`--sdnotify=${who}`, '-d')
    draft.set('Service', 'Type', 'notify')
    draft.set('Service', 'NotifyAccess', 'all')
  }
  if (given.text('SyslogIdentifier') === undefined) draft.set('Service', 'SyslogIdentifier', '%N')
  return flags
}

function userFlags(own: Reading): readonly string[] {
  const user = own.filled('User')
  const group = own.filled('Group')
  if (user !== undefined) return ['--user', group === undefined ? user : `${user}:${group}`]
  if (group === undefined) return []
  throw new QuadletProblem('invalid Group set without User')
}

function labelFlags(own: Reading): readonly string[] {
  const update = own.filled('AutoUpdate')
  return update === undefined ? [] : ['--label', `io.containers.autoupdate=${update}`]
}

function exposedPorts(own: Reading): readonly string[] {
  return own.all('ExposeHostPort').flatMap(given => {
    const port = given.trim()
    if (!/\d+(-\d+)?(\/udp|\/tcp)?$/.test(port)) {
      throw new QuadletProblem(`invalid port format '${port}'`)
    }
    return ['--expose', port]
  })
}
