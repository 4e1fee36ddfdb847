/** A container as Podman describes it, cut down to what an adoption asks about. */

export interface InspectedMount {
  readonly kind: 'bind' | 'volume' | 'other'
  /** Of a volume; one that nobody named has 64 hexadecimal digits. */
  readonly name: string
  /** On this machine. */
  readonly source: string
  /** Inside the container. */
  readonly path: string
  readonly isWritable: boolean
}

export interface InspectedContainer {
  readonly id: string
  readonly name: string
  /** Config digest, hexadecimal. */
  readonly imageId: string
  readonly imageName: string
  /** Podman's word: `running`, `exited` … */
  readonly status: string
  /** Of the first process; 0 when none runs. */
  readonly pid: number
  readonly startedAt: string
  /** Podman removes it, and its volumes without a name, as soon as it ends. */
  readonly doesRemoveItself: boolean
  /** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`. */
  readonly restartPolicy: string
  readonly labels: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly mounts: readonly InspectedMount[]
  readonly ports: readonly {
    readonly container: number
    readonly host: number
    readonly protocol: 'tcp' | 'udp'
  }[]
  readonly networks: readonly string[]
}

/** What adoption needs of Podman beside the daily work. */
export interface ContainerCare {
  /** Every container of this user, with everything that is known of it. */
  inspectAll(): Promise<readonly InspectedContainer[]>
  /** In the words of `InspectedContainer.restartPolicy`. */
  setRestartPolicy(name: string, policy: string): Promise<void>
  startContainer(name: string): Promise<void>
  /** Returns when it has ended; after `graceMs` it is killed. */
  stopContainer(name: string, graceMs: number): Promise<void>
  /** The environment that a running process was started with, also what `podman inspect` hides. */
  processEnvironment(pid: number): Promise<ReadonlyMap<string, string>>
  /** A file inside a container, of at most `bytesMax`; undefined when there is none. */
  readInside(name: string, path: string, bytesMax: number): Promise<Uint8Array | undefined>
}
