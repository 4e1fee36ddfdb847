/** What the machine is in: how much room its disk has left, and whether its link costs money. Looked at now and then. */
import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Surroundings } from '../swarm/index.ts'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'

export interface SurroundingsWatch {
  current(): Surroundings
  look(): Promise<void>
}

interface Settings {
  /** Of the file system with the blobs. */
  readonly folder: string
  readonly minFreeBytes: number
  readonly metered: 'yes' | 'no' | 'auto'
}

/** Free space comes and goes by a few blocks: what was short is enough again a little above its bound. */
const ENOUGH_AGAIN = 1.1

export function createSurroundings(log: Log, settings: Settings): SurroundingsWatch {
  const { folder, minFreeBytes, metered } = settings
  let current: Surroundings = { isMetered: metered === 'yes', isSpaceLow: false }
  return {
    current: () => current,
    async look() {
      const { bavail, bsize } = await statfs(folder)
      const isSpaceLow = isLow(bavail * bsize, minFreeBytes, current.isSpaceLow)
      if (isSpaceLow && !current.isSpaceLow) {
        log.warn('disk is nearly full: nothing is served', { folder, freeBytes: bavail * bsize })
      }
      const isMetered = metered === 'auto' ? await askNetworkManager(log) : metered === 'yes'
      current = { isMetered, isSpaceLow }
    },
  }
}

/** Pure. */
export function isLow(freeBytes: number, minFreeBytes: number, wasLow: boolean): boolean {
  return freeBytes < minFreeBytes * (wasLow ? ENOUGH_AGAIN : 1)
}

const ASK_TIMEOUT_MS = 2_000
const MANAGER = 'org.freedesktop.NetworkManager'

/** A machine without NetworkManager, or without an answer of it, is not metered. */
async function askNetworkManager(log: Log): Promise<boolean> {
  const path = '/org/freedesktop/NetworkManager'
  try {
    const question = ['--system', 'get-property', MANAGER, path, MANAGER, 'Metered']
    const { stdout } = await promisify(execFile)('busctl', question, { timeout: ASK_TIMEOUT_MS })
    return parseMetered(stdout)
  } catch (error) {
    log.debug('NetworkManager gives no answer', { reason: messageOf(error) })
    return false
  }
}

/** `u 1` is yes and `u 3` a guess that it is so. Pure. */
export function parseMetered(answer: string): boolean {
  return /^u [13]\s*$/.test(answer)
}
