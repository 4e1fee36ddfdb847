/** Containers as Podman describes them, for tests of adoption. */
import type { InspectedContainer } from '../../../orchestrator/adopt/inspected.ts'

let count = 0

export function inspected(over: Partial<InspectedContainer> = {}): InspectedContainer {
  count += 1
  return {
    ...{ id: `id${count}`, name: `container${count}`, imageId: 'f'.repeat(64) },
    ...{ imageName: 'docker.io/library/some:1', status: 'running', pid: 100, startedAt: '' },
    ...{ doesRemoveItself: false, restartPolicy: 'always', labels: {}, env: {}, user: '' },
    ...{ mounts: [], ports: [], networks: [] },
    ...over,
  }
}

export function volume(
  source: string,
  path: string,
  over: Partial<InspectedContainer['mounts'][number]> = {},
): InspectedContainer['mounts'][number] {
  return { kind: 'bind', name: '', source, path, isWritable: true, ...over }
}
