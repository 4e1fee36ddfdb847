/** The front door of the orchestrator. */
export type { OrchestratorDeps, OrchestratorOptions } from './context.ts'
export { createHost } from './host/host.ts'
export { NODE_ARGUMENTS, renderServiceUnit, type ServiceUnitInput } from './host/service-unit.ts'
export type { InstalledRelease } from './installed.ts'
export { createOrchestrator, type InstallOptions, type Orchestrator } from './orchestrator.ts'
export type { Endpoints, Host, Podman, Quadlet, Systemd } from './ports.ts'
export type { AppState, AppStatus, ComponentStatus, Health } from './status.ts'
