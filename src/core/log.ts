/** The log port: a fixed message, data as fields, one JSON line to standard error. The only importer of `pino`. */
import { destination, pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export type LogFields = Readonly<Record<string, unknown>>

/** error: a person must act. warn: we recovered. info: a state changed. debug: once per request. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines carry `part: name`; the child of a child joins the names, as in `swarm.session`. */
  child(name: string): Log
}

/** Writes JSON lines to standard error (journald keeps them). */
export function createLog(level: LogLevel): Log {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  )
  return wrap(root)
}

/** For tests and for commands that report in another way. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

function wrap(root: pino.Logger, part?: string): Log {
  const logger = part === undefined ? root : root.child({ part })
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: name => wrap(root, part === undefined ? name : `${part}.${name}`),
  }
}
