/** What every `archy origin` command is given. */
import type { Clock } from '../core/clock.ts'
import type { CommandIo } from './io.ts'

export interface OriginCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  /** Ends `origin serve`. */
  readonly stopped: AbortSignal
  /** The command did its work, and what it found is not well: the exit code says so. */
  fail(): void
}

export interface JsonOption {
  readonly json: boolean
}
