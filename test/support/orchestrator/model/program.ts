/** How the program in a container behaves, for as long as it is this version of this component. */

export interface Program {
  /** From the start to the first passing check, milliseconds; never when infinite. */
  readonly healthyAfterMs: number
  /** Ends by itself; `oom`: killed at its memory limit. */
  readonly exits?: { readonly afterMs: number; readonly code: number; readonly isOom?: boolean }
  /** From SIGTERM to the end, milliseconds; infinite for one that ignores it. */
  readonly endsAfterMs: number
  readonly endCode: number
  /** Changes its data as soon as it runs. */
  readonly writes?: string
  /** Stops answering its checks for good, this long after the start. */
  readonly sickAfterMs?: number
}

export const GOOD_PROGRAM: Program = { healthyAfterMs: 700, endsAfterMs: 200, endCode: 0 }
