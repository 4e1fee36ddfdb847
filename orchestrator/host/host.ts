/** The real machine behind the orchestrator's ports. */
import type { Host } from '../ports.ts'
import { createEndpoints } from './endpoints.ts'
import { createPodman } from './podman.ts'
import { createQuadlet } from './quadlet.ts'
import { createSystemd } from './systemd.ts'

export function createHost(): Host {
  return {
    podman: createPodman(),
    systemd: createSystemd(),
    quadlet: createQuadlet(),
    endpoints: createEndpoints(),
  }
}
