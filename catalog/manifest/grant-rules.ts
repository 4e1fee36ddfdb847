/** Rules for devices and grants: what is asked for works, and is nothing that would hand over the machine. */
import { type AnyManifest, problem, type RuleProblem, repeated, usesHostNetwork } from './rule.ts'

type Component = AnyManifest['components'][string]

/** Devices that a grant stands for: the owner then reads what it means. */
const GRANT_DEVICES = [
  { device: /^\/dev\/net\//, grant: 'tun' },
  { device: /^\/dev\/(dri|kfd|nvidia[^/]*)(\/|$)/, grant: 'gpu' },
] as const

/** Whoever has one of these has the machine, its disks, or what people type. */
const REFUSED_DEVICE =
  /^\/dev\/(mem|kmem|port|kmsg|console|full|ptmx|pts|shm|mqueue|fd|std(in|out|err)|core|root|disk|mapper|block|char|cpu|log|initctl|nbd\d*|loop.*|[shv]d[a-z]+\d*|nvme.*|mmcblk.*|sr\d+|sg\d+|md\d.*|dm-\d+|ram\d+|tty\d*|vcs.*|uinput|input)(\/|$)/

export function grantProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return Object.entries(manifest.components).flatMap(([name, component]) => [
    ...deviceProblems(name, component),
    ...(usesHostNetwork(component) ? hostNetworkProblems(name, component) : []),
  ])
}

function deviceProblems(name: string, { devices }: Component): readonly RuleProblem[] {
  const pathOf = (index: number) => ['components', name, 'devices', index, 'path'] as const
  const twice = repeated(
    'device.path',
    devices.map(({ path }, index) => ({
      key: path,
      path: pathOf(index),
      shown: `${path} is already a device of components.`,
    })),
  )
  const each = devices.flatMap(({ path }, index) => {
    const at = pathOf(index)
    const isPlain = path
      .split('/')
      .slice(2)
      .every(part => !['', '.', '..'].includes(part))
    if (!isPlain) {
      return problem('device.path', at, 'must not contain "..", "." or empty parts, nor end in "/"')
    }
    const grant = GRANT_DEVICES.find(({ device }) => device.test(path))?.grant
    if (grant !== undefined) {
      const instead = `delete it and write grants: { ${grant}: { why: … } }`
      return problem('device.grant', at, `${path} belongs to the grant ${grant}; ${instead}`)
    }
    return problem(
      'device.refused',
      at,
      REFUSED_DEVICE.test(path) &&
        `${path} would give the app more of the machine than an app may have; ` +
          'name the one device that it works with, such as /dev/ttyUSB0',
    )
  })
  return [...twice, ...each]
}

function hostNetworkProblems(name: string, component: Component): readonly RuleProblem[] {
  const at = ['components', name] as const
  const without = 'not possible with the grant host-network'
  return [
    ...problem(
      'grant.host-network',
      [...at, 'ports'],
      component.ports.length > 0 &&
        `${without}: its ports are the machine’s; delete ports, or the grant`,
    ),
    ...(['networks', 'aliases'] as const).flatMap(field =>
      problem(
        'grant.host-network',
        [...at, field],
        component[field] !== undefined &&
          `${without}: it joins no other network; delete ${field}, or the grant`,
      ),
    ),
    ...(['net-admin', 'net-raw', 'tun'] as const).flatMap(grant =>
      problem(
        'grant.host-network',
        [...at, 'grants', grant],
        component.grants[grant] !== undefined &&
          `${without}: without root nobody changes the network of the machine; delete one of the two`,
      ),
    ),
  ]
}
