/** The lab's front door: real Debian nodes on this machine. */
export { type Base, buildBase, CONTAINED } from './base.ts'
export { runCommand, runOk } from './command.ts'
export { LabError } from './errors.ts'
export { openLock } from './lock.ts'
export { labMissing } from './missing.ts'
export { ensureLabPackages } from './packages.ts'
export { labCacheFolder } from './paths.ts'
export { until } from './wait.ts'
