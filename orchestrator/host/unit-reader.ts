/** Reads the states of many units with one call; what that call leaves out is remembered until systemd says it changed. */
import { z } from 'zod'
import { HostError } from '../errors.ts'
import type { UnitState } from '../ports.ts'
import type { Bus } from './bus.ts'
import { callManager, readProperty, SYSTEMD } from './manager.ts'

export interface UnitReader {
  read(names: readonly string[]): Promise<ReadonlyMap<string, UnitState>>
  /** A signal said that the unit with this object path changed. */
  changed(path: string): void
}

/** What the list has of one unit: name, description, load, active, sub, follows, path, job … */
const listed = z.array(
  z
    .tuple([z.string(), z.string(), z.string(), z.string(), z.string(), z.string(), z.string()])
    .rest(z.unknown())
    .transform(([name, , load, active, sub, , path]) => ({ name, load, active, sub, path })),
)

type Listed = z.output<typeof listed>[number]

interface Known {
  /** What the list said when the rest was read. */
  readonly active: string
  readonly sub: string
  readonly details: Details
  uses: number
}

type Details = Pick<UnitState, 'result' | 'restarts' | 'exitStatus'>

/** Only services have more to tell than the list does. */
const SERVICE = /\.service$/
const OTHER: Details = { result: 'success', restarts: 0 }
/** Signals may be lost; after this many reads the unit is asked again, which is ten minutes of passes. */
const USES_MAX = 20

/** The bus must be subscribed to systemd's signals, and pass them to `changed`. */
export function createUnitReader(bus: Bus): UnitReader {
  const known = new Map<string, Known>()
  const watched = new Map<string, Promise<void>>()
  /** The newest question about a unit, by its path; gone when a signal came after it. */
  const asked = new Map<string, symbol>()

  /** The match is in place before the unit is read, so no change in between is missed. */
  function watch(path: string): Promise<void> {
    const rule = `type='signal',sender='${SYSTEMD}',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path='${path}'`
    const watching = watched.get(path) ?? bus.match(rule)
    watched.set(path, watching)
    return watching
  }

  async function ask<T>(path: string, property: string, schema: z.ZodType<T>): Promise<T> {
    const value = await readProperty(bus, path, `${SYSTEMD}.Service`, property)
    return parse(schema, value, `${property} of ${path}`)
  }

  async function detailsOf({ name, load, active, sub, path }: Listed): Promise<Details> {
    if (!SERVICE.test(name) || load === 'not-found') return OTHER
    const before = known.get(path)
    if (before?.active === active && before.sub === sub && before.uses < USES_MAX) {
      before.uses++
      return before.details
    }
    await watch(path)
    // Spread, so that not all units are asked again at the same time.
    const uses = before === undefined ? known.size % USES_MAX : 0
    const question = Symbol(path)
    asked.set(path, question)
    const [result, restarts, exitStatus] = await Promise.all([
      ask(path, 'Result', z.string()),
      ask(path, 'NRestarts', z.int()),
      ask(path, 'ExecMainStatus', z.int()),
    ])
    const details = { result, restarts, exitStatus }
    // When it changed meanwhile, what was read is good for now, but not to be remembered.
    if (asked.get(path) === question) known.set(path, { active, sub, uses, details })
    return details
  }

  return {
    changed(path) {
      known.delete(path)
      asked.delete(path)
    },
    async read(names) {
      if (names.length === 0) return new Map()
      const answer = await callManager(bus, 'ListUnitsByNames', 'as', [names])
      const units = parse(listed, answer, 'the list of units')
      return new Map(
        await Promise.all(
          units.map(async unit => [unit.name, stateOf(unit, await detailsOf(unit))] as const),
        ),
      )
    },
  }
}

function stateOf({ load, active, sub }: Listed, details: Details): UnitState {
  // A unit whose file is gone may still run.
  const isAbsent = load === 'not-found' && active === 'inactive'
  return { active: isAbsent ? 'not-found' : active, sub, ...details }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new HostError('HOST_COMMAND_FAILED', `systemd said something unexpected: ${what}`, {
    cause: parsed.error,
  })
}
