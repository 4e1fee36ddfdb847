/** The stages of one iteration, in order: each finds the apps as the one before left them. */
import type { GateRun } from '../run.ts'
import type { StateId } from '../states.ts'
import { INTERRUPTIONS } from './interrupt.ts'
import * as owner from './owner.ts'
import { fullDisk, rollback } from './updates.ts'

/** Every state has its stage, in the order in which they are gone through. */
export const STAGES: { readonly [K in StateId]: (run: GateRun) => Promise<void> } = {
  install: owner.install('install'),
  ui: owner.page,
  stop: owner.stop,
  'stays-stopped': owner.staysStopped,
  start: owner.start,
  restart: owner.restart,
  daemon: owner.daemon,
  reboot: owner.reboot,
  ...INTERRUPTIONS,
  rollback,
  'full-disk': fullDisk,
  uninstall: owner.uninstall('uninstall'),
  reinstall: owner.install('reinstall'),
  clean: owner.uninstall('clean'),
}
