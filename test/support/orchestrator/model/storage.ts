/** What Podman keeps on the disk of the model machine: containers, images, secrets, networks. Plain data. */
import type { ContainerDefinition } from './unit-files.ts'

export interface ModelContainer {
  readonly name: string
  status: 'created' | 'running' | 'exited'
  /** Its checks pass and its ports answer; `undefined` before the first time. */
  isWell: boolean | undefined
  exitCode: number
  readonly labels: Readonly<Record<string, string>>
  readonly definition: ContainerDefinition | undefined
  /** Of one that no unit runs. */
  restartPolicy?: string
}

export interface ModelImage {
  readonly id: string
  readonly manifestDigest: string
  /** Survives a power cut. */
  isSynced: boolean
  isDamaged: boolean
}

export interface Storage {
  readonly containers: Map<string, ModelContainer>
  /** By name. */
  readonly images: Map<string, ModelImage>
  readonly secrets: Map<string, string>
  readonly networks: Set<string>
  /** Programs that were run in containers, and what they answer; all is well unless told. */
  readonly executed: string[]
  readonly answers: Map<string, { code: number; output: string }>
}

export function emptyStorage(): Storage {
  return {
    containers: new Map(),
    images: new Map(),
    secrets: new Map(),
    networks: new Set(['podman']),
    executed: [],
    answers: new Map(),
  }
}

/** What the next boot finds: containers are listed as ended, images that nobody synced have empty layers. */
export function cutPowerOf(storage: Storage): void {
  for (const container of storage.containers.values()) {
    if (container.status !== 'running') continue
    container.status = 'exited'
    container.isWell = undefined
  }
  for (const image of storage.images.values()) image.isDamaged ||= !image.isSynced
}
