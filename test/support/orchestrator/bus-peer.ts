/** A real message bus in this process, and on it somebody who answers in systemd's place with units that a test sets. */
import { once } from 'node:events'
import { createBroker, createClient, type DBusBroker, type MessageBus } from 'dbus-native'

export interface PeerUnit {
  load?: string
  active: string
  sub: string
  result?: string
  restarts?: number
  exitStatus?: number
}

export interface BusPeer {
  /** What systemd would know, by unit name; a change is told only by `changed`. */
  readonly units: Map<string, PeerUnit>
  /** Every call that came, such as `StartUnit a.service` or `Get NRestarts`. */
  readonly calls: string[]
  /** Sends the signal that systemd sends after a change of this unit. */
  changed(name: string): void
  /** What becomes of the jobs of `StartUnit`; `undefined` leaves them running. */
  jobResult: string | undefined
  /** A peer that got stuck: calls come and are not answered. */
  isStuck: boolean
  close(): Promise<void>
}

const SYSTEMD = 'org.freedesktop.systemd1'
const PATH = '/org/freedesktop/systemd1'
const SERVICE = `${SYSTEMD}.Service`
const NEVER = new Promise<never>(() => {})

/** Listens on the socket `path`. */
export async function startBusPeer(path: string): Promise<BusPeer> {
  const broker: DBusBroker = createBroker()
  const clients = new Set<{ stream?: { destroy(): void } }>()
  broker.on('connection', client => clients.add(client))
  await new Promise<void>((resolve, reject) => {
    broker.listen({ socket: path }, error => (error === null ? resolve() : reject(error)))
  })
  const bus = createClient({ socket: path })
  await bus.requestName(SYSTEMD, 0)
  const peer: BusPeer = {
    units: new Map(),
    calls: [],
    jobResult: 'done',
    isStuck: false,
    changed(name) {
      const { result = 'success' } = peer.units.get(name) ?? {}
      bus.emitPropertiesChanged(unitPath(name), SERVICE, { Result: result })
    },
    async close() {
      const ended = once(bus.connection, 'close')
      broker.close()
      bus.connection.stream.destroy()
      await ended
    },
  }
  serveManager(bus, peer)
  return peer
}

/** As systemd makes object paths of unit names. */
function unitPath(name: string): string {
  const hexed = (letter: string): string => `_${letter.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `${PATH}/unit/${name.replaceAll(/[^A-Za-z0-9]/g, hexed)}`
}

function serveManager(bus: MessageBus, peer: BusPeer): void {
  const exported = new Set<string>()
  const serveUnit = (name: string): void => {
    if (exported.has(name)) return
    exported.add(name)
    const value = (property: string, read: (unit: PeerUnit) => unknown) => ({
      enumerable: true,
      get() {
        peer.calls.push(`Get ${property}`)
        return read(peer.units.get(name) ?? { active: 'inactive', sub: 'dead' })
      },
    })
    const service = Object.defineProperties(
      {},
      {
        Result: value('Result', unit => unit.result ?? 'success'),
        NRestarts: value('NRestarts', unit => unit.restarts ?? 0),
        ExecMainStatus: value('ExecMainStatus', unit => unit.exitStatus ?? 0),
      },
    )
    bus.exportInterface(service, unitPath(name), {
      name: SERVICE,
      properties: { Result: 's', NRestarts: 'u', ExecMainStatus: 'i' },
    })
  }
  const job = (member: string) => async (name: string) => {
    peer.calls.push(`${member} ${name}`)
    if (peer.isStuck) return await NEVER
    if (!peer.units.has(name)) {
      const error = new Error(`Unit ${name} not found.`)
      throw Object.assign(error, { dbusName: `${SYSTEMD}.NoSuchUnit` })
    }
    const path = `${PATH}/job/${peer.calls.length}`
    const { jobResult } = peer
    if (jobResult !== undefined) {
      const body = [peer.calls.length, path, name, jobResult]
      setImmediate(() => bus.sendSignal(PATH, `${SYSTEMD}.Manager`, 'JobRemoved', 'uoss', body))
    }
    return path
  }
  const manager = {
    Subscribe: () => null,
    StartUnit: job('StartUnit'),
    StopUnit: job('StopUnit'),
    ListUnitsByNames(names: readonly string[]) {
      peer.calls.push('ListUnitsByNames')
      if (peer.isStuck) return NEVER
      return names.map(name => {
        const {
          load = 'loaded',
          active,
          sub,
        } = peer.units.get(name) ?? {
          ...{ load: 'not-found', active: 'inactive', sub: 'dead' },
        }
        serveUnit(name)
        return [name, '', load, active, sub, '', unitPath(name), 0, '', '/']
      })
    },
  }
  bus.exportInterface(manager, PATH, {
    name: `${SYSTEMD}.Manager`,
    methods: {
      Subscribe: ['', '', [], []],
      StartUnit: ['ss', 'o', [], []],
      StopUnit: ['ss', 'o', [], []],
      ListUnitsByNames: ['as', 'a(ssssssouso)', [], []],
    },
  })
}
