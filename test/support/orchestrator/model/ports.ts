/** The orchestrator's ports onto the model machine. Every change is an effect of the life that asks for it. */
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../../../orchestrator/errors.ts'
import { placeFile } from '../../../../orchestrator/host/place-file.ts'
import type { Host, Podman, Systemd } from '../../../../orchestrator/ports.ts'
import { type CareDeps, createModelCare } from './care.ts'
import { lives } from './life.ts'
import type { ModelContainer } from './storage.ts'
import { readUnits } from './unit-files.ts'
import type { UserManager } from './user-manager.ts'

export interface PortsDeps extends CareDeps {
  /** Anywhere on the disk of the machine. */
  readonly folder: string
  readonly manager: UserManager
  readonly reload: () => void
  /** Called at every change of a unit. */
  readonly listeners: Set<() => void>
  /** Parts of the host that do not answer. */
  readonly silent: ReadonlySet<'podman' | 'systemd'>
  /** Unit files that the machine's generator refuses, with its complaint. */
  readonly refusedFiles: ReadonlyMap<string, string>
}

async function change(name: string): Promise<void> {
  await lives.getStore()?.effect(name)
}

async function read({ silent }: PortsDeps, part: 'podman' | 'systemd'): Promise<void> {
  await lives.getStore()?.stay()
  if (silent.has(part)) throw new HostError('HOST_COMMAND_TIMEOUT', `${part} did not answer`)
}

export function createModelHost(deps: PortsDeps): Host {
  return {
    controllers: async () => ['cpu', 'memory', 'pids'],
    machine: () => ({ hostname: 'model', timezone: 'Etc/UTC', lanAddress: '192.0.2.1' }),
    systemd: createModelSystemd(deps),
    podman: createModelPodman(deps),
    quadlet: {
      async dryRun(folder) {
        await lives.getStore()?.stay()
        const services = [...readUnits({ quadlet: folder, user: folder }).keys()]
        const problems = readdirSync(folder).flatMap(name => deps.refusedFiles.get(name) ?? [])
        return { services: new Map(services.map(name => [name, ''])), problems }
      },
    },
    endpoints: {
      portState: async port => (holderOf(deps, port) === undefined ? 'free' : 'taken'),
      answersHttp: async port => holderOf(deps, port)?.isWell === true,
      answersTcp: async port => holderOf(deps, port)?.isWell === true,
    },
  }
}

function holderOf({ storage }: PortsDeps, port: number): ModelContainer | undefined {
  return [...storage.containers.values()].find(
    ({ status, definition }) => status === 'running' && definition?.ports.includes(port),
  )
}

function createModelSystemd(deps: PortsDeps): Systemd {
  const { manager } = deps
  return {
    async daemonReload() {
      await change('systemd: daemon-reload')
      deps.reload()
    },
    async start(names) {
      await change(`systemd: start ${names.join(' ')}`)
      const missing = names.filter(name => !manager.isKnown(name))
      manager.start(names)
      if (missing.length === 0) return
      throw new HostError('HOST_COMMAND_FAILED', `Unit ${missing[0]} not found.`)
    },
    async startAndWait() {
      throw new Error('the model starts no unit in the foreground')
    },
    async enable() {},
    async disable() {},
    async stop(names) {
      await change(`systemd: stop ${names.join(' ')}`)
      manager.stop(names)
    },
    async kill(name) {
      await change(`systemd: kill ${name}`)
      manager.kill(name)
    },
    async resetFailed(name) {
      await read(deps, 'systemd')
      manager.resetFailed(name)
    },
    async units(names) {
      await read(deps, 'systemd')
      return new Map(names.map(name => [name, manager.state(name)]))
    },
    unitFile: async () => undefined,
    async logs() {
      return ''
    },
    onChange(listener) {
      const life = lives.getStore()
      const tell = (): void => {
        if (life?.isDead === false) lives.run(life, listener)
      }
      deps.listeners.add(tell)
      return () => deps.listeners.delete(tell)
    },
  }
}

function createModelPodman(deps: PortsDeps): Podman {
  const { storage } = deps
  return {
    ...createModelCare(deps),
    version: async () => '5.4.2',
    async image(name) {
      await read(deps, 'podman')
      const image = storage.images.get(name)
      if (image?.isDamaged) {
        throw new HostError('HOST_COMMAND_FAILED', `${name}: layer not known`)
      }
      return image === undefined
        ? undefined
        : { id: image.id, manifestDigest: image.manifestDigest }
    },
    async imageNames() {
      await read(deps, 'podman')
      return [...storage.images.keys()]
    },
    async loadLayout(folder, name) {
      const index: { manifests: { digest: string }[] } = readJson(join(folder, 'index.json'))
      const manifestDigest = index.manifests[0]?.digest ?? ''
      const manifest: { config: { digest: string } } = readBlob(folder, manifestDigest)
      await change(`podman: load ${name}`)
      const id = manifest.config.digest.slice('sha256:'.length)
      storage.images.set(name, { id, manifestDigest, isSynced: false, isDamaged: false })
    },
    async removeImage(name) {
      if (!storage.images.has(name)) return
      await change(`podman: image rm ${name}`)
      storage.images.delete(name)
    },
    async damage() {
      await read(deps, 'podman')
      return [...storage.images].filter(([, image]) => image.isDamaged).map(([name]) => name)
    },
    async repair() {
      await change('podman: system check --repair')
      for (const [name, { isDamaged }] of storage.images) {
        if (isDamaged) storage.images.delete(name)
      }
    },
    async syncStorage() {
      await change('podman: sync')
      for (const image of storage.images.values()) image.isSynced = true
    },
    async containers() {
      await read(deps, 'podman')
      return [...storage.containers.values()].map(each => ({
        name: each.name,
        status: each.status,
        health: healthOf(each),
        exitCode: each.exitCode,
        labels: each.labels,
      }))
    },
    async removeContainer(name) {
      if (!storage.containers.has(name)) return
      await change(`podman: rm ${name}`)
      storage.containers.delete(name)
    },
    async renameContainer(name, to) {
      const container = storage.containers.get(name)
      if (container === undefined || storage.containers.has(to)) {
        throw new HostError('HOST_COMMAND_FAILED', `${name} cannot become ${to}`)
      }
      await change(`podman: rename ${name}`)
      storage.containers.delete(name)
      storage.containers.set(to, Object.assign(container, { name: to }))
    },
    async exec(container, { argv }) {
      const command = argv.join(' ')
      await change(`podman: exec in ${container}`)
      if (storage.containers.get(container)?.status !== 'running') {
        throw new HostError('HOST_COMMAND_FAILED', `${container} does not run`)
      }
      storage.executed.push(command)
      return storage.answers.get(command) ?? { code: 0, output: '' }
    },
    async copyFromImage(imageId, from, container, to) {
      await change(`podman: cp to ${container}`)
      storage.executed.push(`cp ${imageId.slice(0, 4)}:${from} ${container}:${to}`)
    },
    async placeFile(folder, file) {
      await change(`podman: place ${file.path}`)
      // The machine has one user: whoever runs the test.
      const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
      placeFile({ folder, ...file, owner })
    },
    onChange(listener) {
      deps.listeners.add(listener)
      return () => deps.listeners.delete(listener)
    },
    async secretNames() {
      await read(deps, 'podman')
      return [...storage.secrets.keys()]
    },
    async createSecret(name, value) {
      await change(`podman: secret create ${name}`)
      storage.secrets.set(name, Buffer.from(value).toString('utf8'))
    },
    async secretValue(name) {
      await read(deps, 'podman')
      return storage.secrets.get(name)
    },
    async removeSecret(name) {
      if (!storage.secrets.has(name)) return
      await change(`podman: secret rm ${name}`)
      storage.secrets.delete(name)
    },
    async networkNames() {
      await read(deps, 'podman')
      return [...storage.networks]
    },
    async removeNetwork(name) {
      if (!storage.networks.has(name)) return
      await change(`podman: network rm ${name}`)
      storage.networks.delete(name)
    },
    async copyFolder(from, to) {
      await change(`podman: copy to ${to.split('/').at(-1)}`)
      cpSync(realpathSync(from), to, { recursive: true, preserveTimestamps: true })
    },
    async removeFolder(path) {
      if (!existsSync(path)) return
      await change(`podman: remove ${path.split('/').at(-1)}`)
      rmSync(path, { recursive: true })
    },
    folderBytes: async path => (existsSync(path) ? readdirSync(path).length : 0),
    sharesBlocks: async () => true,
    async syncFileSystem() {
      await change('podman: sync of a file system')
    },
    storageFolder: async () => deps.folder,
    async ownFolder(path) {
      await change(`podman: own ${path.split('/').at(-1)}`)
    },
  }
}

function healthOf({
  definition,
  status,
  isWell,
}: ModelContainer): 'healthy' | 'unhealthy' | 'starting' | undefined {
  if (status !== 'running' || definition?.waitsForHealth !== true) return undefined
  if (isWell === undefined) return 'starting'
  return isWell ? 'healthy' : 'unhealthy'
}

function readBlob<T>(folder: string, digest: string): T {
  return readJson(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)))
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8'))
}
