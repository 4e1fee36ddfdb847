/** Constructs that no app may have, whatever its reason, and what to write instead. Pure data; there is no flag for any of them. */
import type { ForeignWord } from './foreign-word.ts'

const SOURCES = ['components.*.mounts.*', 'components.*.mounts.*.data'] as const
const IMAGES = ['components.*.image', 'images.*'] as const

export const REFUSED_WORDS = {
  'refused.privileged': {
    keys: ['privileged'],
    why: 'it would hand the whole machine to the app',
    instead: 'name what it works with: devices, grants or security.capabilities',
  },
  'refused.engine-socket': {
    at: SOURCES,
    value: /\b(docker|podman|containerd|crio)[^:]*\.sock\b/i,
    why: 'whoever has the socket of the container engine has the machine',
    instead: 'delete it; what the app should start belongs into components',
  },
  'refused.host-system': {
    at: SOURCES,
    value: /^\/(proc|sys|dev|run|boot|etc|var\/run|lib\/modules)(\/|:|$)/,
    why: 'it is a part of the machine, not of the app',
    instead: `use devices or grants for hardware, \${node.tz} and \${node.hostname} in env for the rest`,
  },
  'refused.host-files': {
    at: SOURCES,
    value: /^(\/(:|$)|(~|\$\{?HOME\}?|\/home|\/root)(\/|:|$))/,
    why: 'it would show the app the files of people',
    instead: 'declare data: { files: { class: user } } and mount it: { data: files, path: … }',
  },
  'refused.namespace': {
    keys: [
      'pid',
      'ipc',
      'uts',
      'cgroup',
      'userns',
      'usernsMode',
      'hostPid',
      'hostIpc',
      'cgroupParent',
    ],
    why: 'an app does not look into the processes and the memory of the machine or of others',
    instead:
      'delete it; components of an app reach each other over their networks, and resources.shm sizes /dev/shm',
  },
  'refused.podman-args': {
    keys: [
      'podmanArgs',
      'globalArgs',
      'runArgs',
      'extraArgs',
      'dockerArgs',
      'containersConfModule',
    ],
    why: 'raw arguments of the engine could undo every rule',
    instead: 'use the key of the manifest that says the same; arguments of the program are command',
  },
  'refused.security-opt': {
    keys: ['securityOpt', 'seccomp', 'seccompProfile', 'apparmor', 'apparmorProfile', 'unmask'],
    why: 'the protections of the machine stay on for every app',
    instead: 'delete it; security has noNewPrivileges, readOnlyRoot and capabilities',
  },
  'refused.capability': {
    at: ['components.*.security.capabilities.*'],
    value:
      /^(CAP_)?(ALL|SYS_(?!CHROOT)\w+|MKNOD|SETFCAP|SETPCAP|AUDIT_\w+|BPF|PERFMON|MAC_\w+|LINUX_IMMUTABLE|DAC_READ_SEARCH|IPC_\w+|LEASE|SYSLOG|WAKE_ALARM)$/i,
    why: 'it reaches beyond the container',
    instead: 'delete it; a rootless container cannot use it either',
  },
  'refused.build': {
    keys: ['build', 'dockerfile', 'context'],
    why: 'nodes get finished, signed images and build nothing',
    instead:
      'build it yourself and save it: images: { web: { oci: images/web } }, a folder beside the manifest',
  },
  'refused.latest': {
    at: IMAGES,
    value: /:latest$/,
    why: 'what "latest" is changes behind everybody’s back',
    instead:
      'save one version beside the manifest: skopeo copy docker://…:1.2.3 oci:images/web, then images: { web: { oci: images/web } }',
  },
} as const satisfies Readonly<Record<string, ForeignWord>>
