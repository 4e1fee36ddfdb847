/** The connection to the user's systemd: made when first needed, and again when the bus went away. */
import { HostError } from '../errors.ts'
import { type Bus, openBus } from './bus.ts'
import { callManager } from './manager.ts'
import { createUnitReader, type UnitReader } from './unit-reader.ts'

export interface Session {
  readonly bus: Bus
  readonly reader: UnitReader
}

export interface Sessions {
  /** What `act` does must be fine to be done twice: when the bus went away meanwhile it is dialled, and asked, once more. */
  use<T>(act: (session: Session) => Promise<T>): Promise<T>
}

/** `onHint` is called for every signal of a unit that was read, and when the connection is lost. */
export function createSessions(busPath: string, onHint: () => void): Sessions {
  let session: Promise<Session> | undefined

  async function connect(): Promise<Session> {
    let reader: UnitReader | undefined
    const bus = await openBus(busPath, {
      onSignal({ path, member }) {
        if (member !== 'PropertiesChanged') return
        reader?.changed(path)
        onHint()
      },
      onLost() {
        session = undefined
        onHint()
      },
    })
    await callManager(bus, 'Subscribe')
    reader = createUnitReader(bus)
    return { bus, reader }
  }

  function open(): Promise<Session> {
    session ??= connect().catch((error: unknown) => {
      session = undefined
      throw error
    })
    return session
  }

  return {
    async use(act) {
      const first = await open()
      try {
        return await act(first)
      } catch (error) {
        if (!(error instanceof HostError) || error.code !== 'HOST_UNREACHABLE') throw error
        return await act(await open())
      }
    },
  }
}
