/** Constructs of Compose, Quadlet and older manifests that have another form here, and which. Pure data. */
import type { ForeignWord } from './foreign-word.ts'

export const RENAMED_WORDS = {
  'instead.reference-platform': {
    keys: ['app'],
    why: 'manifests with everything below "app" are of another platform',
    instead: 'translate it: archy app convert FILE',
  },
  'instead.components': {
    keys: ['services', 'containers', 'pods', 'spec', 'kind', 'metadata'],
    why: 'the containers of an app are its components',
    instead:
      'write components: { web: { image: web } }; archy app new NAME makes a manifest to start from',
  },
  'instead.id': {
    keys: ['name', 'containerName', 'hostname', 'domainname', 'macAddress'],
    why: 'names are made from the id of the app and the name of the component',
    instead:
      'delete it; id and title name the app, aliases name a component on the network, adopt names an existing container',
  },
  'instead.image': {
    at: ['components.*.image', 'images.*'],
    value: /[/:@.]/,
    why: 'nodes load no image by its name in a registry',
    instead:
      'save it beside the manifest: skopeo copy docker://… oci:images/web, then images: { web: { oci: images/web } } and image: web',
  },
  'instead.pull': {
    keys: ['pullPolicy', 'imagePullPolicy', 'pull', 'platform', 'imageSignature', 'autoUpdate'],
    why: 'images are a part of the signed release',
    instead: 'delete it; images: { web: { oci: images/web, platforms: [amd64, arm64] } }',
  },
  'instead.restart': {
    keys: ['restart', 'restartPolicy', 'deploy', 'replicas', 'scale'],
    why: 'the node restarts what ends, until the owner stops the app',
    instead: 'delete it; what must run once is role: job, limits are resources',
  },
  'instead.networks': {
    keys: [
      'networkMode',
      'network',
      'networkPolicy',
      'links',
      'externalLinks',
      'extraHosts',
      'addHost',
      'dns',
      'dnsSearch',
      'expose',
      'networkAliases',
    ],
    why: 'the components of an app reach each other by name without it',
    instead:
      'delete it; further names are aliases, further networks are networks, the network of the machine is grants: { host-network: { why: … } }',
  },
  'instead.joined-networks': {
    at: ['components.*.networks'],
    value: /^\[list\]$/,
    why: 'networks are a mapping from each network to the names there',
    instead: 'write networks: { default: {}, backend: { aliases: [db] } }',
  },
  'instead.capabilities': {
    keys: ['capAdd', 'capDrop', 'addCapability', 'dropCapability', 'capabilities'],
    why: 'every capability is dropped first',
    instead: 'write security: { capabilities: [CHOWN] } for what is really used',
  },
  'instead.grant': {
    at: ['components.*.security.capabilities.*'],
    value: /^(CAP_)?NET_(ADMIN|RAW)$/i,
    why: 'the owner must agree to this one',
    instead: 'write grants: { net-admin: { why: … } } or grants: { net-raw: { why: … } }',
  },
  'instead.capability': {
    at: ['components.*.security.capabilities.*'],
    value: /^CAP_/i,
    why: 'capabilities stand without their prefix',
    instead: 'write CHOWN, not CAP_CHOWN',
  },
  'instead.grants': {
    at: ['components.*.grants', 'components.*.grants.*'],
    value: /^(?!\{)/,
    why: 'each grant has the reason that the owner reads',
    instead: 'write grants: { tun: { why: It makes a tunnel to your phone } }',
  },
  'instead.depends-on': {
    keys: ['dependsOn', 'dependencies', 'requires', 'after'],
    why: 'dependencies are a mapping',
    instead: 'write dependsOn: { db: { condition: healthy } }; other apps are needs',
  },
  'instead.depends-on-list': {
    at: [
      'components.*.dependsOn',
      'components.*.dependsOn.*',
      'components.*.dependsOn.*.condition',
    ],
    value: /^(\[list\]|service_\w+)$/,
    why: 'dependencies are a mapping from each component to a condition',
    instead: 'write dependsOn: { db: { condition: healthy }, cache: {} }',
  },
  'instead.env': {
    keys: ['environment', 'secretEnv', 'derivedEnv', 'envs'],
    why: 'variables are a mapping',
    instead: `write env: { NAME: value }; a secret is \${secrets.<name>}`,
  },
  'instead.env-list': {
    at: ['components.*.env'],
    value: /^\[list\]$/,
    why: 'variables are a mapping',
    instead: 'write env: { NAME: value }, not a list of NAME=value',
  },
  'instead.env-file': {
    keys: ['envFile', 'environmentFile'],
    why: 'a file beside the manifest is no part of the release',
    instead:
      'write its lines as env; what the owner decides is config, what nobody may know is secrets',
  },
  'instead.secret-source': {
    keys: ['file', 'external', 'driver', 'secretFile', 'generatedSecrets', 'generatedCerts'],
    why: 'every secret is made on the node, and networks and data have no drivers',
    instead: 'write secrets: { db-password: { generate: { kind: password } } }',
  },
  'instead.component-secrets': {
    keys: ['secrets'],
    in: ['components.*'],
    why: 'a component gets secrets as variables or as files',
    instead: `write env: { PASSWORD: "\${secrets.<name>}" } or secretFiles: [{ secret, path }]`,
  },
  'instead.files': {
    keys: ['configs'],
    why: 'small files stand in the manifest itself',
    instead: 'write files: [{ path: /etc/app.conf, content: … }]',
  },
  'instead.mount': {
    keys: ['type', 'source', 'src', 'target', 'bind', 'options', 'volume', 'readonly'],
    in: ['components.*.mounts.*'],
    at: ['components.*.mounts.*', 'components.*.mounts.*.data'],
    value: /^(?![[{])/,
    why: 'a mount names a data set and a place in the container',
    instead: 'declare data: { files: {} } and write mounts: [{ data: files, path: /data }]',
  },
  'instead.data': {
    keys: ['volumes', 'volume', 'volumesFrom', 'binds', 'storage', 'dataUid'],
    why: 'the node decides where data is',
    instead:
      'declare data: { files: { owner: { uid: 1000, gid: 1000 } } } and write mounts: [{ data: files, path: /data }] in the component',
  },
  'instead.tmpfs': {
    keys: ['tmpfs'],
    why: 'memory file systems are mounts',
    instead: 'write mounts: [{ tmpfs: 64MiB, path: /tmp }]',
  },
  'instead.ports': {
    at: ['components.*.ports.*'],
    value: /^(?![[{])/,
    why: 'a port is a mapping',
    instead: 'write ports: [{ host: 8080, container: 80 }]',
  },
  'instead.argv': {
    at: [
      'components.*.command',
      'components.*.entrypoint',
      'components.*.health.exec',
      'hooks.*.*.exec.argv',
    ],
    value: /^(?![[{])/,
    why: 'a program and its arguments are a list; no shell takes them apart',
    instead: 'write command: [serve, --port, "80"], or [sh, -c, "…"] if a shell is wanted',
  },
  'instead.command': {
    keys: ['args', 'cmd', 'exec', 'customArgs'],
    why: 'the arguments of the program have one name',
    instead: 'write command: [--verbose]; entrypoint replaces the program itself',
  },
  'instead.health': {
    keys: ['healthcheck', 'healthCheck', 'livenessProbe', 'readinessProbe', 'startupProbe'],
    why: 'a check is a probe',
    instead: 'write health: { http: { port: 8080, path: / } } or health: { exec: [my-check] }',
  },
  'instead.probe': {
    keys: ['test', 'retries', 'startPeriod', 'startInterval', 'endpoint', 'type'],
    in: ['components.*.health', 'components.*.health.*'],
    why: 'a probe has other words',
    instead: 'write exec: [my-check], failures: 3, startBudget: 5m',
  },
  'instead.stop': {
    keys: ['stopSignal', 'stopGracePeriod', 'stopGraceSecs', 'stopTimeout'],
    why: 'how a component ends is one entry',
    instead: 'write stop: { signal: SIGINT, grace: 60s }',
  },
  'instead.user': {
    at: ['components.*.user', 'data.*.owner'],
    value: /^(?![[{])/,
    why: 'users are numbers, as the container sees them',
    instead: 'write { uid: 1000, gid: 1000 }',
  },
  'instead.devices': {
    at: ['components.*.devices.*'],
    value: /^(?![[{])/,
    why: 'a device is a mapping',
    instead: 'write devices: [{ path: /dev/ttyUSB0, optional: true }]',
  },
  'instead.gpu': {
    keys: ['gpus', 'runtime', 'deviceRequests', 'groupAdd', 'deviceCgroupRules'],
    why: 'the owner agrees to hardware',
    instead: 'write grants: { gpu: { why: … } } or devices: [{ path: /dev/ttyUSB0 }]',
  },
  'instead.resources': {
    keys: [
      'memLimit',
      'memory',
      'memReservation',
      'memoryLimit',
      'cpus',
      'cpuLimit',
      'cpuShares',
      'cpuset',
      'pidsLimit',
      'shmSize',
      'diskLimit',
      'memswapLimit',
      'ulimits',
      'oomScoreAdj',
      'blkioConfig',
    ],
    why: 'limits have one place',
    instead:
      'write resources: { memory: 512MiB, cpuPercent: 100, pids: 256, shm: 64MiB }; nothing else is limited',
  },
  'instead.size': {
    at: [
      'components.*.resources.memory',
      'components.*.resources.shm',
      'components.*.mounts.*.tmpfs',
    ],
    value: /^(?!\d+(B|[KMGT]iB)$)\d+(\.\d+)?\s*([kmgt]i?b?|b)?$/i,
    why: 'sizes are whole numbers with a binary unit',
    instead: 'write "512MiB" or "4GiB"',
  },
  'instead.security': {
    keys: ['readOnly', 'readonlyRoot', 'noNewPrivileges', 'readonlyRootfs'],
    why: 'what a component may do has one place',
    instead: 'write security: { readOnlyRoot: true, noNewPrivileges: true }',
  },
  'instead.workdir': {
    keys: ['workingDir'],
    why: 'the folder that the program starts in has another name',
    instead: 'write workdir: /app',
  },
  'instead.nothing': {
    keys: [
      'labels',
      'annotations',
      'logging',
      'logDriver',
      'profiles',
      'tty',
      'stdinOpen',
      'sysctls',
      'isolation',
      'attach',
      'develop',
      'extends',
      'label',
      'storageOpt',
      'interactive',
    ],
    why: 'it has no counterpart',
    instead:
      'delete it; logs go to the journal, and notes of your own stand in keys that begin with x- at the top',
  },
} as const satisfies Readonly<Record<string, ForeignWord>>
