/** What every `archy origin` command is given. */
import type { Clock } from '../core/clock.ts'
import type { CommandIo } from './io.ts'

export interface OriginCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  /** Ends `origin serve`. */
  readonly stopped: AbortSignal
}

export interface JsonOption {
  readonly json: boolean
}
