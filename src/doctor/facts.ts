/** What the doctor knows of a machine: plain data that a reader collected, for checks that only judge. */

import type { AppClaim } from '../../orchestrator/index.ts'

/** A line of `/etc/subuid` or `/etc/subgid`. */
export interface IdRange {
  /** A user name, or a user id in digits. */
  readonly owner: string
  readonly start: number
  readonly count: number
}

/** One line of `/proc/self/uid_map`. */
export interface IdMapping {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

export interface Ids {
  readonly subuid: readonly IdRange[]
  readonly subgid: readonly IdRange[]
  /** Where `newuidmap` and `newgidmap` are; `undefined` for one that is missing. */
  readonly newuidmap: string | undefined
  readonly newgidmap: string | undefined
}

/** What Podman says of itself. */
export interface PodmanInfo {
  readonly version: string
  /** `sqlite` or `boltdb`. */
  readonly database: string
  readonly cgroupManager: string
  readonly cgroupVersion: string
  readonly runtime: { readonly name: string; readonly path: string }
  readonly conmonPath: string
  /** `netavark` or `cni`. */
  readonly networkBackend: string
  readonly dnsPath: string
  /** `pasta` or `slirp4netns`: what a container without a network of its own gets. */
  readonly networkCommand: string
  readonly pastaPath: string
  readonly storageDriver: string
  readonly storageFolder: string
  readonly isRootless: boolean
}

/** An answer of `podman info`, or why there was none in time. */
export type PodmanAnswer =
  | { readonly kind: 'answered'; readonly tookMs: number; readonly info: PodmanInfo }
  | {
      readonly kind: 'missing' | 'late' | 'failed'
      readonly reason: string
    }

export interface Listener {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly uid: number
  /** Name and cgroup of the process; unknown for processes of other users. */
  readonly process: { readonly name: string; readonly cgroup: string } | undefined
}

/** A folder that must hold something, as it is or would be made. */
export interface Place {
  readonly use: 'data' | 'state' | 'storage'
  readonly path: string
  readonly exists: boolean
  /** Of the file system: `ext4`, `vfat` … and its options, such as `ro`. */
  readonly fileSystem: string
  readonly mountPoint: string
  readonly options: readonly string[]
  readonly freeBytes: number
  readonly sizeBytes: number
  /** 0 for a file system without a fixed number of them. */
  readonly inodes: number
  readonly freeInodes: number
}

export interface UserManager {
  readonly stopTimeoutMs: number
  /** Controllers that systemd was told to hand to the user. */
  readonly delegated: readonly string[]
}

export interface Cgroups {
  readonly isVersion2: boolean
  /** Of the whole machine, and what arrived at the user's manager. */
  readonly machine: readonly string[]
  readonly user: readonly string[]
}

export interface Session {
  readonly runtimeFolder: string | undefined
  readonly runtimeFolderMode: number | undefined
  readonly hasBus: boolean
  /** `running`, `degraded` …, or the complaint of systemctl. */
  readonly manager: string
}

export interface Socket {
  /** `loaded`, `masked`, `not-found`. */
  readonly load: string
  readonly active: string
}

export interface Daemon {
  readonly pid: number
  readonly command: string
  /** Started by `archy.service`. */
  readonly isService: boolean
}

export interface ClockFacts {
  readonly nowMs: number
  readonly isSynchronized: boolean
  /** A service that would synchronize it is switched on. */
  readonly hasService: boolean
  /** When the newest catalog on this disk was signed, and when this program was built: time cannot be before either. */
  readonly catalogMs: number | undefined
  readonly builtMs: number
}

export interface Kernel {
  readonly firstUnprivilegedPort: number
  readonly inotifyInstances: number
  readonly inotifyWatches: number
  readonly userNamespaces: number
  /** Ubuntu's switch; `undefined` where the kernel has none. */
  readonly restrictsUserNamespaces: boolean | undefined
  readonly hasPersistentJournal: boolean
}

export interface UnitFacts {
  /** Quadlet's program, and its link among the generators of user managers. */
  readonly quadlet: string | undefined
  readonly generator: string | undefined
  /** Files that change units of ours without being ours. */
  readonly foreignDropIns: readonly string[]
}

export interface Facts {
  readonly user: { readonly name: string; readonly uid: number }
  readonly linger: boolean
  readonly ids: Ids
  /** What is in force inside the user's namespace. */
  readonly idMap: readonly IdMapping[]
  readonly cgroups: Cgroups
  readonly manager: UserManager
  readonly podman: PodmanAnswer
  /** Unread when Podman did not answer. */
  readonly podmanInfo: PodmanInfo
  readonly socket: Socket
  readonly session: Session
  readonly kernel: Kernel
  readonly clock: ClockFacts
  readonly claims: readonly AppClaim[]
  /** Only on ports that an app claims. */
  readonly listeners: readonly Listener[]
  readonly places: readonly Place[]
  readonly units: UnitFacts
  readonly daemons: readonly Daemon[]
}

/** A fact that could not be read, and why. */
export class Unread {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export type Readings = { readonly [K in keyof Facts]: Facts[K] | Unread }
