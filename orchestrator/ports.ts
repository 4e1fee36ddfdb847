/** The seams between the orchestrator and the host: Podman, systemd, unit files. */

export interface UnitState {
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, or `not-found` when systemd knows no such unit. */
  readonly active: string
  readonly sub: string
  readonly result: string
}

export interface ContainerState {
  readonly name: string
  /** `created`, `running`, `exited`, `paused` …: Podman's own word. */
  readonly status: string
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined
  readonly exitCode: number
  readonly labels: Readonly<Record<string, string>>
}

export interface Podman {
  /** For example `5.4.2`. */
  version(): Promise<string>
  /** Image ID (config digest, hex) and manifest digest of an image in storage, or `undefined`. */
  image(reference: string): Promise<{ id: string; manifestDigest: string } | undefined>
  /** Loads an OCI layout folder and gives the image `name`. */
  loadLayout(layoutFolder: string, name: string, signal?: AbortSignal): Promise<void>
  /** Makes everything in container storage survive a power cut. */
  syncStorage(): Promise<void>
  /** Every container with the label `app.id`, running or not. */
  containers(): Promise<readonly ContainerState[]>
  removeContainer(name: string): Promise<void>
  secretNames(): Promise<readonly string[]>
  /** The value goes through standard input only. */
  createSecret(name: string, value: Uint8Array): Promise<void>
  removeSecret(name: string): Promise<void>
  removeNetwork(name: string): Promise<void>
  /** Runs `chown` and `chmod` on a folder with container ids, inside the user namespace. */
  ownFolder(path: string, uid: number, gid: number, mode: string): Promise<void>
}

export interface Systemd {
  daemonReload(): Promise<void>
  start(unit: string, timeoutMs: number): Promise<void>
  stop(unit: string, timeoutMs: number): Promise<void>
  kill(unit: string): Promise<void>
  resetFailed(unit: string): Promise<void>
  enable(unit: string): Promise<void>
  disable(unit: string): Promise<void>
  /** All units whose name matches the shell pattern, by unit name. */
  units(pattern: string): Promise<ReadonlyMap<string, UnitState>>
}
