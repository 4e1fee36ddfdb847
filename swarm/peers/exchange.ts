/** Messages that come over any carrier of a link, and what the answer to a request says against the peer. */
import { UNANSWERED_MS } from '../limits.ts'
import type { Offence } from '../serving/conduct.ts'
import type { Exchange } from '../wire.ts'
import type { Carrier } from './carrier.ts'
import type { Answer, RequestTable } from './requests.ts'
import type { PeerServer } from './server.ts'

/** @throws SwarmError `MESSAGE_MALFORMED` */
export function handleExchange(
  message: Exchange,
  via: Carrier,
  server: PeerServer,
  requests: RequestTable,
): void {
  switch (message.kind) {
    case 'request':
      server.handleRequest(message, via)
      break
    case 'layer':
      server.handleLayer(message, via)
      break
    case 'reject':
      requests.handleReject(via, message)
      break
    case 'cancel':
      server.handleCancel(message.id, via)
      break
  }
}

/** A peer is only asked for what it says it has. `receivedBytes`: of anything, while the answer was waited for. Pure. */
export function offenceOf(
  answer: Answer,
  { receivedBytes, tookMs }: { readonly receivedBytes: number; readonly tookMs: number },
): Offence | undefined {
  if (answer.kind === 'rejected' && answer.reason === 'not-found') return 'broken promise'
  const isSilent = receivedBytes === 0 && tookMs >= UNANSWERED_MS
  return answer.kind === 'cancelled' && isSilent ? 'unanswered' : undefined
}
