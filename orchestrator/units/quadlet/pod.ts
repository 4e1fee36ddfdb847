/** A `.pod` file becomes a service that makes, starts, stops and removes a pod; containers join it. Pure. */
import { type Conversion, podmanCommand } from './conversion.ts'
import { eachFlag, type FlagTable, textFlags } from './flags.ts'
import { networkFlags } from './network-flags.ts'
import { QuadletProblem } from './problem.ts'
import { reading } from './reading.ts'
import { volumeFlags } from './storage.ts'
import { USER_MAPPING_KEYS, userMapping } from './user-mapping.ts'

const TEXT: FlagTable = { IP: '--ip', IP6: '--ip6', ShmSize: '--shm-size' }
const EACH: FlagTable = {
  NetworkAlias: '--network-alias',
  DNS: '--dns',
  DNSOption: '--dns-option',
  DNSSearch: '--dns-search',
  AddHost: '--add-host',
}

/** Every key of `[Pod]` that Podman 5.4.2 knows. */
export const POD_KEYS: ReadonlySet<string> = new Set([
  ...[TEXT, EACH].flatMap(Object.keys),
  ...['ContainersConfModule', 'GlobalArgs', 'Network', 'PodName', 'PodmanArgs', 'PublishPort'],
  ...['ServiceName', 'Volume'],
  ...USER_MAPPING_KEYS,
])

const POD_ID_FILE = '--pod-id-file=%t/%N.pod-id'

/** @throws QuadletProblem */
export function convertPod(conversion: Conversion, name: string, members: readonly string[]): void {
  const { own, draft } = conversion
  for (const member of members) {
    draft.add('Unit', 'Wants', member)
    draft.add('Unit', 'Before', member)
  }
  if (reading(conversion.sections, 'Service').text('SyslogIdentifier') === undefined) {
    draft.set('Service', 'SyslogIdentifier', '%N')
  }
  const podman = [...podmanCommand(conversion), 'pod']
  draft.addCommand('Service', 'ExecStart', [...podman, 'start', POD_ID_FILE])
  draft.addCommand('Service', 'ExecStop', [...podman, 'stop', POD_ID_FILE, '--ignore', '--time=10'])
  draft.addCommand('Service', 'ExecStopPost', [...podman, 'rm', POD_ID_FILE, '--ignore', '--force'])
  draft.addCommand('Service', 'ExecStartPre', [
    ...[...podman, 'create', '--infra-conmon-pidfile=%t/%N.pid', POD_ID_FILE],
    ...['--exit-policy=stop', '--replace'],
    ...userMapping(own),
    ...eachFlag(own, { PublishPort: '--publish' }),
    ...networkFlags(conversion),
    ...[...textFlags(own, TEXT), ...eachFlag(own, EACH)],
    ...volumeFlags(conversion),
    ...['--infra-name', `${name}-infra`, '--name', name],
    ...own.args('PodmanArgs'),
  ])
  const fixed = {
    Environment: 'PODMAN_SYSTEMD_UNIT=%n',
    Type: 'forking',
    Restart: 'on-failure',
    PIDFile: '%t/%N.pid',
  }
  for (const [key, value] of Object.entries(fixed)) draft.set('Service', key, value)
}

/** The option of a container that joins a pod; the pod learns of it. @throws QuadletProblem */
export function joinPod(conversion: Conversion): readonly string[] {
  const { own, draft, units, fileName } = conversion
  const pod = own.filled('Pod')
  if (pod === undefined) return []
  if (!pod.endsWith('.pod')) throw new QuadletProblem(`pod ${pod} is not Quadlet based`)
  const unit = units.get(pod)
  if (unit === undefined) throw new QuadletProblem(`quadlet pod unit ${pod} does not exist`)
  draft.add('Unit', 'BindsTo', `${unit.service}.service`)
  draft.add('Unit', 'After', `${unit.service}.service`)
  const service = units.get(fileName)?.service
  if (service !== undefined && (own.flag('StartWithPod') ?? true)) {
    unit.members.push(`${service}.service`)
  }
  return ['--pod-id-file', `%t/${unit.service}.pod-id`]
}
