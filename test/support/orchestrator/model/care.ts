/** Containers of the model machine that no unit runs: somebody typed `podman run`. */
import { existsSync, realpathSync } from 'node:fs'
import type { ContainerCare } from '../../../../orchestrator/adopt/inspected.ts'
import { HostError } from '../../../../orchestrator/errors.ts'
import { lives } from './life.ts'
import type { ModelContainer, Storage } from './storage.ts'

export interface CareDeps {
  readonly storage: Storage
  /** What no orchestrator may ever cause. */
  readonly violations: string[]
}

async function change(name: string): Promise<void> {
  await lives.getStore()?.effect(name)
}

export function createModelCare(deps: CareDeps): ContainerCare {
  const { containers } = deps.storage
  const find = (name: string): ModelContainer => {
    const found = containers.get(name)
    if (found !== undefined) return found
    throw new HostError('HOST_COMMAND_FAILED', `no container with name ${name}`)
  }
  return {
    async inspectAll() {
      await lives.getStore()?.stay()
      return [...containers.values()].map(each => ({
        ...{ id: `id-of-${each.name}`, name: each.name, status: each.status },
        ...{ imageId: each.definition?.imageId ?? '', imageName: 'docker.io/somebody/app:1' },
        ...{ pid: each.status === 'running' ? 1 : 0, startedAt: '', doesRemoveItself: false },
        ...{ restartPolicy: each.restartPolicy ?? 'no', labels: each.labels, env: {}, user: '' },
        mounts: (each.definition?.folders ?? []).map(source => ({
          ...{ kind: 'bind' as const, name: '', source, path: '/data', isWritable: true },
        })),
        ...{ ports: [], networks: [] },
      }))
    },
    async setRestartPolicy(name, policy) {
      await change(`podman: update ${name} --restart=${policy}`)
      find(name).restartPolicy = policy
    },
    async startContainer(name) {
      await change(`podman: start ${name}`)
      startBare(deps, find(name))
    },
    async stopContainer(name) {
      await change(`podman: stop ${name}`)
      find(name).status = 'exited'
    },
    processEnvironment: async () => new Map(),
    readInside: async () => undefined,
  }
}

/** By hand, or at boot by its restart policy. */
export function startBare({ storage, violations }: CareDeps, container: ModelContainer): void {
  container.status = 'running'
  container.isWell = true
  for (const name of sharersOf(storage, container)) {
    violations.push(`${container.name} was started on the data of ${name}, which runs`)
  }
}

/** Running containers of another owner on the same folders, whatever path they know them by. */
export function sharersOf(
  storage: Storage,
  { name, labels, definition }: Pick<ModelContainer, 'name' | 'labels' | 'definition'>,
): readonly string[] {
  const own = new Set(
    (definition?.folders ?? []).filter(existsSync).map(each => realpathSync(each)),
  )
  return [...storage.containers.values()]
    .filter(other => other.name !== name && other.status === 'running')
    .filter(other => other.labels['app.id'] !== labels['app.id'])
    .filter(other =>
      (other.definition?.folders ?? []).some(
        folder => existsSync(folder) && own.has(realpathSync(folder)),
      ),
    )
    .map(other => other.name)
}
