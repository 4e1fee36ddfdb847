/** For every rule of manifests, texts that break it and nothing else; `§` marks where the problem is reported. */
import type { RuleId } from '../../../catalog/manifest/rule-ids.ts'

/** Every example can use these, and is alone below them. */
const BASE = `apiVersion: archy.app/v1
id: app
version: "1.0.0"
title: App
secrets: { key: { generate: { kind: hex } } }
data: { one: {}, two: {} }
`
const IMAGES = 'images: { app: { oci: app } }\n'

/** A manifest with one component that has these keys. */
export const main = (keys: string): string => components(`main: { image: app, ${keys} }`)
/** A manifest with these components. */
export const components = (all: string): string => `${BASE}${IMAGES}components: { ${all} }\n`
/** A manifest with one plain component and these keys at the top. */
export const top = (keys: string): string => `${components('main: { image: app }')}${keys}\n`
/** A manifest with these images, and one component that has these keys. */
export const images = (all: string, keys = 'image: app'): string =>
  `${BASE}images: ${all}\ncomponents: { main: { ${keys} } }\n`

const PORT = 'ports: [{ host: 80, container: 80 }]'
const HOST = 'grants: { host-network: { why: It listens to broadcasts } }'
const JOB = 'job: { image: app, role: job }'

/** Those that need the blobs of an image have tests of their own. */
export type TextRule = Exclude<RuleId, 'image.layout' | 'image.volumes'>

export const BROKEN_RULES: Readonly<Record<TextRule, readonly string[]>> = {
  'component.name': [components('my-volume: §{ image: app }')],
  'component.image': [components('main: { image: §nope }')],
  'reference.form': [
    main('env: { A: §"${oops}" }'),
    main('env: { A: §"${config.a" }'),
    main('files: [{ path: /a, content: §"${app.port}" }]'),
  ],
  'reference.exists': [
    main('env: { A: §"${secrets.nope}" }'),
    main('env: { A: §"${config.nope}" }'),
    main('env: { A: §"${needs.nope.host}" }'),
    main('files: [{ path: /a, content: §"${component.nope.host}" }]'),
    top('provides: { api: { component: main, values: { key: §"${secrets.nope}" } } }'),
  ],
  'reference.place': [
    main('command: [run, §"--key=${secrets.key}"]'),
    main('entrypoint: [§"${app.id}"]'),
    main('health: { exec: [check, §"${secrets.key}"] }'),
    top('hooks: { postStart: [{ exec: { component: main, argv: [a, §"${secrets.key}"] } }] }'),
    top('hooks: { preStart: [{ render: { data: one, path: /a, content: §"${secrets.key}" } }] }'),
    top(
      'needs: { b: { app: bb, export: api } }\n' +
        'provides: { api: { component: main, values: { url: §"${needs.b.host}" } } }',
    ),
  ],
  'secret.exists': [main('secretFiles: [{ secret: §nope, path: /run/key }]')],
  'config.values': [
    top('config: { size: §{ type: enum } }'),
    top('config: { size: { type: string, values: §[a] } }'),
    top('config: { size: { type: enum, values: §[a, a] } }'),
  ],
  'config.bounds': [
    top('config: { on: { type: boolean, max: §3 } }'),
    top('config: { size: { type: integer, min: §3, max: 2 } }'),
  ],
  'config.default': [
    top('config: { size: { type: integer, default: §many } }'),
    top('config: { size: { type: integer, min: 2, default: §1 } }'),
    top('config: { name: { type: string, max: 2, default: §abc } }'),
    top('config: { name: { type: string, default: §5 } }'),
    top('config: { on: { type: boolean, default: §maybe } }'),
    top('config: { size: { type: enum, values: [a, b], default: §c } }'),
    top('config: { port: { type: port, default: §70000 } }'),
    top('config: { site: { type: url, default: §example } }'),
    top('config: { host: { type: host, default: §"a b" } }'),
    top('config: { mail: { type: email, default: §nobody } }'),
  ],
  'mount.data': [main('mounts: [{ data: §nope, path: /a }]')],
  'mount.place': [
    main('mounts: [{ data: one, path: §/ }]'),
    main('mounts: [{ tmpfs: 1MiB, path: §/proc/x }]'),
    main('mounts: [{ tmpfs: 1MiB, path: §/dev/shm }]'),
    main('files: [{ path: §/sys/x, content: a }]'),
  ],
  'mount.overlap': [
    main('mounts: [{ data: one, path: /a }, { data: two, path: §/a/b }]'),
    main('mounts: [{ data: one, path: /a }], files: [{ path: §/a/b, content: x }]'),
    main('files: [{ path: /a, content: x }, { path: §/a, content: y }]'),
    main('mounts: [{ data: one, path: /a }], secretFiles: [{ secret: key, path: §/a/b }]'),
  ],
  'port.host': [
    components(
      `a: { image: app, ${PORT} }, b: { image: app, ports: [{ host: §80, container: 1 }] }`,
    ),
  ],
  'network.default': [top('networks: { default: §{} }')],
  'network.exists': [main('networks: { nope: §{} }')],
  'network.aliases': [
    main('aliases: §[a], networks: { default: { aliases: [b] } }'),
    `${components('main: { image: app, aliases: §[a], networks: { back: {} } }')}networks: { back: {} }\n`,
  ],
  'network.alias': [
    components('a: { image: app }, b: { image: app, aliases: [§a] }'),
    components('a: { image: app, aliases: [b] }, b: §{ image: app }'),
    `${components(
      'a: { image: app, networks: { back: { aliases: [db] } } }, b: { image: app, networks: { back: { aliases: [§db] } } }',
    )}networks: { back: { internal: true } }\n`,
  ],
  'job.ports': [
    components(
      `main: { image: app }, job: { image: app, role: job, ports: §[{ host: 1, container: 1 }] }`,
    ),
  ],
  'job.health': [
    components('main: { image: app }, job: { image: app, role: job, health: §{ exec: [a] } }'),
  ],
  'job.alone': [`${BASE}${IMAGES}components: §{ ${JOB} }\n`],
  'depends.exists': [main('dependsOn: { nope: §{} }')],
  'depends.healthy': [
    components('a: { image: app }, b: { image: app, dependsOn: { a: §{ condition: healthy } } }'),
  ],
  'depends.completed': [
    components('a: { image: app }, b: { image: app, dependsOn: { a: §{ condition: completed } } }'),
    components(`${JOB}, b: { image: app, dependsOn: { job: §{ condition: healthy } } }`),
  ],
  'depends.cycle': [main('dependsOn: §{ main: {} }')],
  'health.one-probe': [
    main('health: §{}'),
    main(`${PORT}, health: §{ exec: [a], tcp: { port: 80 } }`),
    main('health: { exec: [a], startup: §{} }'),
    main(`${PORT}, health: { exec: [a], live: §{ tcp: { port: 80 }, http: { port: 80 } } }`),
  ],
  'health.exec': [main('health: { exec: [§CMD-SHELL, pg_isready] }')],
  'health.port': [
    main('health: §{ tcp: { port: 80 } }'),
    main(`${PORT}, health: { exec: [a], live: §{ tcp: { port: 81 } } }`),
    main('ports: [{ host: 80, container: 80, protocol: udp }], health: §{ http: { port: 80 } }'),
  ],
  'device.path': [
    main('devices: [{ path: §/dev/../etc }]'),
    main('devices: [{ path: /dev/ttyUSB0 }, { path: §/dev/ttyUSB0 }]'),
  ],
  'device.grant': [
    main('devices: [{ path: §/dev/net/tun }]'),
    main('devices: [{ path: §/dev/dri/renderD128 }]'),
  ],
  'device.refused': [
    main('devices: [{ path: §/dev/sda1 }]'),
    main('devices: [{ path: §/dev/mem }]'),
    main('devices: [{ path: §/dev/nvme0n1p2 }]'),
    main('devices: [{ path: §/dev/tty1 }]'),
    main('devices: [{ path: §/dev/disk/by-id/x }]'),
  ],
  'grant.host-network': [
    main(`${HOST}, ports: §[{ host: 80, container: 80 }]`),
    main(`${HOST}, aliases: §[a]`),
    main(`${HOST}, networks: §{ default: {} }`),
    main('grants: { host-network: { why: a }, net-admin: §{ why: b } }'),
    main('grants: { host-network: { why: a }, tun: §{ why: b } }'),
  ],
  'interface.component': [top('interfaces: [{ id: main, title: T, component: §nope, port: 80 }]')],
  'interface.id': [
    `${main(PORT)}interfaces:\n` +
      '  - { id: main, title: T, component: main, port: 80 }\n' +
      '  - { id: §main, title: T, component: main, port: 80 }\n',
  ],
  'interface.port': [top('interfaces: [{ id: main, title: T, component: main, port: §80 }]')],
  'provides.component': [
    top('provides: { api: { component: §nope } }'),
    `${main(HOST)}provides: { api: { component: §main } }\n`,
    `${components(`main: { image: app }, ${JOB}`)}provides: { api: { component: §job } }\n`,
  ],
  'needs.self': [top('needs: { me: { app: §app, export: api } }')],
  'needs.versions': [top('needs: { b: { app: bb, export: api, versions: §newest } }')],
  'update.from': [top('update: { from: §"=> 2" }')],
  'hook.verb': [
    top('hooks: { postStart: [§{ timeout: 5s }] }'),
    top(
      'hooks: { postStart: [§{ exec: { component: main, argv: [a] }, waitFor: { exec: { component: main, argv: [b] } } }] }',
    ),
  ],
  'hook.point': [
    top('hooks: { preStart: [{ exec: §{ component: main, argv: [a] } }] }'),
    top('hooks: { preStart: [{ copyIn: §{ component: main, from: /a, to: /b } }] }'),
  ],
  'hook.component': [
    top('hooks: { postStart: [{ exec: { component: §nope, argv: [a] } }] }'),
    top('hooks: { postStart: [{ copyIn: { component: §nope, from: /a, to: /b } }] }'),
    top('hooks: { postStart: [{ waitFor: { exec: { component: §nope, argv: [a] } } }] }'),
    `${components(`main: { image: app }, ${JOB}`)}hooks: { postStart: [{ exec: { component: §job, argv: [a] } }] }\n`,
  ],
  'hook.data': [top('hooks: { preStart: [{ render: { data: §nope, path: /a, content: b } }] }')],
  'hook.place': [
    top('hooks: { preStart: [{ render: { data: one, path: §/, content: b } }] }'),
    top('hooks: { postStart: [{ copyIn: { component: main, from: /a, to: §/proc/a } }] }'),
    top('hooks: { postStart: [{ copyIn: { component: main, from: /a, to: §/ } }] }'),
  ],
  'hook.wait': [
    top('hooks: { postStart: [{ waitFor: §{} }] }'),
    top('hooks: { postStart: [{ waitFor: §{ tcp: { port: 80 } } }] }'),
    `${main(PORT)}hooks: { postStart: [{ waitFor: §{ tcp: { port: 80 }, http: { port: 80 } } }] }\n`,
  ],
  'adopt.component': [top('adopt: { nope: §[old] }')],
  'adopt.once': [
    `${components('a: { image: app }, b: { image: app }')}adopt: { a: [old], b: [new, §old] }\n`,
  ],
  'image.reference': [
    images('{ app: { oci: §"nginx:1.27" } }'),
    images('{ app: { oci: §docker.io/library/nginx } }'),
    images('{ app: { oci: §"nginx@sha256:00" } }'),
  ],
  'form.yaml': ['id: a\n§id: b\n', `§#${'x'.repeat(256 * 1024)}`],
  'form.key': [main('§alaises: [a]')],
  'form.value': [main('stop: { grace: §soon }'), main('user: §{ uid: 1 }')],
}
