/** Acts on what peers do wrong: names them in the log, ends their connections, and bans those who mean it. */
import type { Clock } from '../../src/core/clock.ts'
import type { Log } from '../../src/core/log.ts'
import type { Bans } from '../bans.ts'
import type { Trace } from '../trace.ts'
import type { Refusal } from '../transfer/sources.ts'
import { Conduct, type Misbehaviour, type Offence } from './conduct.ts'

export interface Enforcement {
  report(peerId: string, offence: Offence): void
  /** Bytes that are not the blob: a peer is banned, an origin only named. */
  refuse(refusal: Refusal): void
  list(): readonly Misbehaviour[]
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly bans: Bans
  readonly trace: Trace
  /** Ends every connection to the peer. */
  disconnect(peerId: string): Promise<void>
  /** It is not asked, or dialled, by our own wish any more. */
  forget(peerId: string): void
}

export function createEnforcement({ clock, log, bans, trace, ...deps }: Deps): Enforcement {
  const conduct = new Conduct()
  const disconnect = (peer: string): void => {
    deps.disconnect(peer).catch((error: unknown) => {
      log.debug('peer was already gone', { peer, reason: String(error) })
    })
  }
  const report = (peer: string, offence: Offence): void => {
    const { verdict, shunMs, isFirst } = conduct.note(peer, offence, clock.monotonicMs())
    trace.note?.('peer misbehaves', { peer, offence, verdict })
    if (verdict !== 'none') log.warn('peer misbehaves', { peer, offence, verdict })
    else if (isFirst) log.info('peer misbehaves', { peer, offence, verdict })
    if (verdict === 'none') return
    if (verdict === 'cut off') bans.shun(peer, shunMs)
    else {
      bans.add(peer)
      deps.forget(peer)
    }
    disconnect(peer)
  }
  return {
    report,
    refuse({ digest, pieceIndex, source, name }) {
      const who = source === 'peer' ? { peer: name } : { url: name }
      const fields = { digest, pieceIndex: pieceIndex ?? 'layer', source, ...who }
      log.warn('piece refused', fields)
      trace.note?.('piece refused', fields)
      if (source === 'peer') report(name, 'wrong bytes')
    },
    list: () => conduct.list(clock.monotonicMs()),
  }
}
