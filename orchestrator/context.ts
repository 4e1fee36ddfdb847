/** What every part of the orchestrator is given, and the folders it works in. */
import { join } from 'node:path'
import type { Clock } from '../src/core/clock.ts'
import type { Log } from '../src/core/log.ts'
import { createFileMemory, type FileMemory } from './file-memory.ts'
import { createFindings, type Findings } from './findings.ts'
import type { Host } from './ports.ts'

export interface OrchestratorDeps extends Host {
  readonly clock: Clock
  readonly log: Log
  /** Cryptographically strong: secrets are made of it. */
  readonly randomBytes: (length: number) => Uint8Array
}

export interface OrchestratorOptions {
  readonly stateFolder: string
  /** On the file system that holds user data; the data sets of app `x` are in its folder `x`. */
  readonly dataFolder: string
  /** Quadlet's folder of this user, as a rule `~/.config/containers/systemd`. */
  readonly unitFolder: string
  /** Plain user units, as a rule `~/.config/systemd/user`. */
  readonly userUnitFolder: string
  /** `render` writes and checks units but never calls Podman or systemd. */
  readonly mode: 'systemd' | 'render'
}

export interface Context {
  readonly deps: OrchestratorDeps
  readonly options: OrchestratorOptions
  /** What this run of the node knows about container storage. */
  readonly storage: {
    isChecked: boolean
    /** Nothing of an app is left in it that no record names. */
    isTidy: boolean
  }
  readonly findings: Findings
  /** Records and unit files as they were last read. */
  readonly files: FileMemory
  /** Why an app that should run was not started. */
  readonly blocked: Map<string, string>
  /** Operations that are being worked on: when each began, monotonic. */
  readonly underWay: Map<string, number>
  /** Apps whose interrupted operation could not be finished; it is tried again. */
  readonly stuck: Set<string>
}

export function createContext(deps: OrchestratorDeps, options: OrchestratorOptions): Context {
  return {
    ...{ deps, options },
    storage: { isChecked: false, isTidy: false },
    findings: createFindings(() => deps.clock.nowMs()),
    files: createFileMemory(deps.clock),
    blocked: new Map(),
    underWay: new Map(),
    stuck: new Set(),
  }
}

/** All that reading a record takes: also for tools that run beside the node. */
export type StateFolder = Pick<OrchestratorOptions, 'stateFolder'>

export const recordFolder = (options: StateFolder): string => join(options.stateFolder, 'apps')
export const secretFolder = (options: OrchestratorOptions, id: string): string =>
  join(options.stateFolder, 'secrets', id)
/** Half-made things; whatever is in it after a start is rubbish. */
export const stagingFolder = (options: OrchestratorOptions): string =>
  join(options.stateFolder, 'staging')
export const appDataFolder = (options: OrchestratorOptions, id: string): string =>
  join(options.dataFolder, id)
/** While this file exists no component of the app starts, whoever asks. */
export const holdPath = (options: OrchestratorOptions, id: string): string =>
  join(options.stateFolder, 'hold', id)
/** The text files of one generation. */
export const filesFolder = (options: OrchestratorOptions, id: string, generation: number): string =>
  join(options.stateFolder, 'files', id, String(generation))
