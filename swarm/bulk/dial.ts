/** Opens a bulk channel: TLS to a certificate that is known by its fingerprint, then the token. */
import { timingSafeEqual } from 'node:crypto'
import type { OnReadOpts } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { SwarmError } from '../errors.ts'
import { BULK_DIAL_TIMEOUT_MS } from '../limits.ts'
import { fingerprintOf, TLS_OPTIONS } from './certificate.ts'

/** Where the bytes of a connection go as they come in. */
export interface Intake {
  /** Memory for the next bytes, never empty. */
  target(): Uint8Array
  /** So many were put there. What it throws ends the connection. */
  advance(count: number): void
}

export interface BulkAddress {
  readonly host: string
  readonly port: number
  readonly fingerprint: Uint8Array
  readonly token: Uint8Array
}

/**
 * A connection on which the token was sent. Bytes are decrypted straight into the memory that `intake` names; none of them
 * comes from any other holder of a certificate. @throws SwarmError `BULK_UNREACHABLE`
 */
export function dialBulk(
  { host, port, fingerprint, token }: BulkAddress,
  intake: Intake,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const late = AbortSignal.any([signal, AbortSignal.timeout(BULK_DIAL_TIMEOUT_MS)])
  const nowhere = Buffer.alloc(1)
  let isPinned = false
  let opened: TLSSocket | undefined
  const isOver = (): boolean => opened?.destroyed === true
  const onread: OnReadOpts = {
    buffer: () => (isOver() ? nowhere : intake.target()),
    callback(count) {
      if (isOver()) return false
      try {
        if (!isPinned) throw unreachable('it spoke before it proved who it is')
        intake.advance(count)
      } catch (error) {
        opened?.destroy(error instanceof Error ? error : undefined)
      }
      return !isOver()
    },
  }
  // The fingerprint is checked instead, before anything is sent: no authority knows this certificate.
  const options = { host, port, ...TLS_OPTIONS, rejectUnauthorized: false, onread }
  const socket = connect(options)
  opened = socket
  const stop = (): void => {
    socket.destroy(unreachable('it took too long, or is not wanted any more'))
  }
  late.addEventListener('abort', stop, { once: true })
  socket.setNoDelay(true)
  socket.once('secureConnect', () => {
    late.removeEventListener('abort', stop)
    const raw = socket.getPeerX509Certificate()?.raw
    if (raw === undefined || !timingSafeEqual(fingerprintOf(raw), fingerprint)) {
      socket.destroy(unreachable('its certificate is another one'))
      return
    }
    isPinned = true
    socket.write(token)
    resolve(socket)
  })
  socket.on('error', error => reject(unreachable(error.message, { cause: error })))
  socket.once('close', () => {
    late.removeEventListener('abort', stop)
    reject(unreachable('the connection was closed'))
  })
  return promise

  function unreachable(why: string, options?: ErrorOptions): SwarmError {
    return new SwarmError('BULK_UNREACHABLE', `no bulk channel at ${host}:${port}: ${why}`, options)
  }
}
