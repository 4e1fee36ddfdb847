/** What a container may do: capabilities, devices, labels, a root that cannot be written. Pure. */
import type { Conversion } from './conversion.ts'
import { booleanFlags } from './flags.ts'
import type { Reading } from './reading.ts'

export function securityFlags({ own, host }: Conversion): readonly string[] {
  const seccomp = own.text('SeccompProfile')
  return [
    ...(own.flag('NoNewPrivileges') ? ['--security-opt=no-new-privileges'] : []),
    ...labelOptions(own),
    ...deviceFlags(own, host.hasDevice),
    ...(seccomp === undefined ? [] : ['--security-opt', `seccomp=${seccomp}`]),
    ...own.list('DropCapability').flatMap(name => ['--cap-drop', name.toLowerCase()]),
    ...own.list('AddCapability').flatMap(name => ['--cap-add', name.toLowerCase()]),
    ...own.list('Sysctl').flatMap(setting => ['--sysctl', setting]),
    ...booleanFlags(own, { ReadOnly: '--read-only' }),
    ...(own.flag('VolatileTmp') && !own.flag('ReadOnly')
      ? ['--tmpfs', '/tmp:rw,size=512M,mode=1777']
      : []),
  ]
}

function labelOptions(own: Reading): readonly string[] {
  const values = [
    own.flag('SecurityLabelDisable') ? 'disable' : undefined,
    own.flag('SecurityLabelNested') ? 'nested' : undefined,
    ...(['Type', 'FileType', 'Level'] as const).map(kind => {
      const value = own.filled(`SecurityLabel${kind}`)
      return value === undefined ? undefined : `${kind.toLowerCase()}:${value}`
    }),
  ]
  return values.flatMap(value => (value === undefined ? [] : ['--security-opt', `label=${value}`]))
}

/** One that begins with a dash is left out where the machine does not have it. */
function deviceFlags(own: Reading, hasDevice: (path: string) => boolean): readonly string[] {
  return own.list('AddDevice').flatMap(given => {
    if (!given.startsWith('-')) return ['--device', given]
    const device = given.slice(1)
    return hasDevice(device.split(':')[0] ?? '') ? ['--device', device] : []
  })
}
