/** What the gate shows of every app: the states, in the order of the table, each with what must be true. Pure data. */

export const STATES = {
  install: 'installs, and comes to rest as expected',
  ui: 'its page answers the other node',
  stop: 'stops within its grace and 15 s (others at the same time: 60 s), and nothing of it runs on',
  'stays-stopped':
    'stays stopped over 10 reconciles, a restart of the daemon, a reboot and an update of another app',
  start: 'starts again',
  restart: 'restarts in new containers',
  daemon: 'runs on in the same containers over a restart and a crash of the daemon',
  reboot: 'comes back after a reboot',
  'kill-stop': 'is stopped although the daemon was killed in the middle',
  'kill-start': 'runs although the daemon was killed in the middle of the start',
  'kill-restart': 'runs although the daemon was killed in the middle of the restart',
  'kill-update': 'has the new version although the daemon was killed in the middle',
  rollback: 'is back at its version, by itself, after a new one that does not get healthy',
  'full-disk':
    'runs on when the disk is full during an update, says so, and updates once there is space',
  'cut-update': 'has the new version although the power went in the middle',
  uninstall: 'leaves nothing but its data and secrets',
  reinstall: 'finds its data again',
  'kill-uninstall': 'is gone although the daemon was killed in the middle',
  'kill-install': 'is installed although the daemon was killed in the middle',
  'cut-uninstall': 'is gone although the power went in the middle',
  'cut-install': 'is installed although the power went in the middle',
  clean: 'is gone at the end, and no container, unit, network, secret, image or volume is left',
} as const

export type StateId = keyof typeof STATES

/** Seen of an operation that had not begun, or had ended, when the cut came: it shows nothing about cuts. */
export const NOT_UNDER_WAY = 'was not under way'

/** After its grace: within this a stubborn app must be stopped. */
export const STOP_MARGIN_MS = 15_000
