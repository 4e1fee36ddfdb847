/** The seams between the orchestrator and the host: Podman, systemd, Quadlet's generator, ports on this machine. */

import type { ContainerCare } from './adopt/inspected.ts'

export interface UnitState {
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, or `not-found` when systemd knows no such unit. */
  readonly active: string
  readonly sub: string
  readonly result: string
  /** How often systemd restarted it by itself since it was last started on purpose. */
  readonly restarts: number
  /** The status that the main process of a service ended with last; 0 as long as none has ended. */
  readonly exitStatus?: number
}

export interface ContainerState {
  readonly name: string
  /** `created`, `running`, `exited`, `paused` …: Podman's own word. */
  readonly status: string
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined
  readonly exitCode: number
  readonly labels: Readonly<Record<string, string>>
}

/** A program to run inside a container. */
export interface ContainerCommand {
  readonly argv: readonly string[]
  /** `UID[:GID]` inside the container; the container's own user unless told. */
  readonly user?: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface ExecResult {
  readonly code: number
  /** The last 64 KiB of what it wrote, to either stream. */
  readonly output: string
}

/** A text file for a data set. */
export interface PlacedFile {
  /** Below the data set; begins with a slash. */
  readonly path: string
  readonly text: string
  readonly owner: { readonly uid: number; readonly gid: number }
  /** Octal digits. */
  readonly mode: string
  /** False: one that is there stays. */
  readonly overwrite: boolean
}

export interface Podman extends ContainerCare {
  /** For example `5.4.2`. */
  version(): Promise<string>
  /** Image ID (config digest, hex) and manifest digest of an image in storage, or `undefined`. */
  image(reference: string): Promise<{ id: string; manifestDigest: string } | undefined>
  /** Every name of every image in storage. */
  imageNames(): Promise<readonly string[]>
  /** Loads an OCI layout folder whose index names the image `name`. @throws FileError `DISK_FULL`, HostError */
  loadLayout(layoutFolder: string, name: string, signal?: AbortSignal): Promise<void>
  /** Takes the name away; the image goes too when nothing else names or uses it. Fine when there is none. */
  removeImage(name: string): Promise<void>
  /** What a quick check of the storage finds damaged; empty when all is well. */
  damage(): Promise<readonly string[]>
  /** Removes damaged layers and images, never containers. */
  repair(): Promise<void>
  /** Makes everything in container storage survive a power cut. */
  syncStorage(): Promise<void>
  /** Every container of this user, running or not. */
  containers(): Promise<readonly ContainerState[]>
  /** With SIGKILL when it runs; fine when there is none. Named volumes stay. */
  removeContainer(name: string): Promise<void>
  /** In any state. @throws HostError when there is none, or the new name is taken */
  renameContainer(name: string, to: string): Promise<void>
  /** Runs a program in a running container and waits for its end. @throws HostError `HOST_COMMAND_TIMEOUT` after it was killed … */
  exec(container: string, command: ContainerCommand): Promise<ExecResult>
  /** Copies a file of an image into a running container; Podman follows links inside the container only. */
  copyFromImage(imageId: string, from: string, container: string, to: string): Promise<void>
  secretNames(): Promise<readonly string[]>
  /** Replaces one of the same name. The value is in no argument and no file of ours. */
  createSecret(name: string, value: Uint8Array): Promise<void>
  removeSecret(name: string): Promise<void>
  /** `undefined` when there is none. The value is in no argument and no file of ours. */
  secretValue(name: string): Promise<string | undefined>
  networkNames(): Promise<readonly string[]>
  removeNetwork(name: string): Promise<void>
  /** Runs `chmod` and `chown` on a folder with container ids, inside the user namespace. */
  ownFolder(path: string, uid: number, gid: number, mode: string): Promise<void>
  /** Writes a file below a folder, whatever links are in it; folders on the way are made. Ids are those of containers. */
  placeFile(folder: string, file: PlacedFile): Promise<void>
  /** Copies a folder with owners, modes, times and attributes; blocks are shared where the file system can. @throws FileError `DISK_FULL` */
  copyFolder(from: string, to: string): Promise<void>
  /** Removes a folder with everything in it, whoever owns it; fine when there is none. */
  removeFolder(path: string): Promise<void>
  /** Bytes that a folder takes on the disk; 0 when there is none. */
  folderBytes(path: string): Promise<number>
  /** Whether `copyFolder` shares blocks here, so that a copy takes no space. */
  sharesBlocks(folder: string): Promise<boolean>
  /** Makes everything on the file system that holds `path` survive a power cut. */
  syncFileSystem(path: string): Promise<void>
  /** The folder of container storage. */
  storageFolder(): Promise<string>
  /** Calls back when a container started, ended or was removed. A hint only, as that of `Systemd`. Returns what ends it. */
  onChange(listener: () => void): () => void
}

export interface Systemd {
  daemonReload(): Promise<void>
  /** Queues the jobs and returns; the caller watches `units`. */
  start(units: readonly string[]): Promise<void>
  /** Returns when the unit is up. @throws HostError `HOST_COMMAND_FAILED`, `HOST_COMMAND_TIMEOUT` */
  startAndWait(unit: string, timeoutMs: number): Promise<void>
  /** From the next boot on, or not any more. */
  enable(unit: string): Promise<void>
  disable(unit: string): Promise<void>
  /** Queues the jobs and returns. */
  stop(units: readonly string[]): Promise<void>
  /** SIGKILL to every process of the unit; fine when there is none. */
  kill(unit: string): Promise<void>
  /** Fine when the unit is unknown or did not fail. */
  resetFailed(unit: string): Promise<void>
  /** The state of each unit that was asked for. */
  units(names: readonly string[]): Promise<ReadonlyMap<string, UnitState>>
  /** The file that the unit was made of: what its generator read, or else its own; none for a unit without. */
  unitFile(unit: string): Promise<string | undefined>
  /** The last lines that the unit wrote, oldest first. */
  logs(unit: string, lines: number): Promise<string>
  /**
   * Calls back when a unit that `units` was asked for may have changed, and when systemd went away. A hint only: some
   * changes are told more than once, and one may be missed. Returns what ends it.
   */
  onChange(listener: () => void): () => void
}

export interface DryRun {
  /** The service files that the generator would make, by name. */
  readonly services: ReadonlyMap<string, string>
  /** Everything that the generator complains about. */
  readonly problems: readonly string[]
}

export interface Quadlet {
  /** Runs the machine's own generator over a folder of unit files; `undefined` when the machine has none. */
  dryRun(folder: string): Promise<DryRun | undefined>
}

/** Network ports of this machine, as the node sees them from outside the containers. */
export interface Endpoints {
  /** `refused`: this user may not bind it (below the first unprivileged port). */
  portState(port: number, protocol: 'tcp' | 'udp'): Promise<'free' | 'taken' | 'refused'>
  /** True when the answer shows a working service: 2xx, 3xx, 401 or 403. */
  answersHttp(port: number, path: string, timeoutMs: number): Promise<boolean>
  /** True when a connection is accepted and stays open, or data comes. */
  answersTcp(port: number, timeoutMs: number): Promise<boolean>
}

/** What apps may know of the machine that they run on. */
export interface Machine {
  readonly hostname: string
  /** For example `Europe/Vienna`. */
  readonly timezone: string
  /** IPv4; `127.0.0.1` without a network. */
  readonly lanAddress: string
}

/** What the orchestrator needs of the machine. */
export interface Host {
  machine(): Machine
  readonly podman: Podman
  readonly systemd: Systemd
  readonly quadlet: Quadlet
  readonly endpoints: Endpoints
  /** The cgroup controllers that this user's services may use, such as `memory`, `pids`, `cpu`. */
  controllers(): Promise<readonly string[]>
}
