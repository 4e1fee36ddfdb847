/** The bulk channels of this node: what is offered to peers, who is let in, and connections to what peers offer. */
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../src/core/clock.ts'
import type { Log } from '../../src/core/log.ts'
import { BULK_TOKEN_LIFETIME_MS } from '../limits.ts'
import { hostIn } from '../scope.ts'
import { type BulkCertificate, createBulkCertificate } from './certificate.ts'
import { type BulkListener, openBulkListener } from './listener.ts'
import { createTokenTable, type TokenTable } from './tokens.ts'

/** What a peer needs to open a bulk channel; the host is where it reaches the node already. */
export interface BulkOffer {
  readonly port: number
  readonly fingerprint: Uint8Array
  readonly token: Uint8Array
  readonly lifetimeMs: number
}

/** Whom tokens were given to, and what is done with a connection that has one. `rest` came behind the token. */
export interface BulkGuest {
  welcome(socket: TLSSocket, rest: Uint8Array): void
}

export interface BulkHub {
  /** `undefined` when this node does not listen. */
  offer(guest: BulkGuest): BulkOffer | undefined
  /** The guest's tokens are not valid any more. */
  revoke(guest: BulkGuest): void
  start(): Promise<void>
  stop(): Promise<void>
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
  secret(lengthBytes: number): Uint8Array
}

/** Listens at `port`, 0 for any, on the hosts of these multiaddrs. */
export function createBulkHub(
  deps: Deps,
  listenAddresses: readonly string[],
  port: number,
): BulkHub {
  return new LiveHub(deps, createBulkCertificate(), listenAddresses, port)
}

class LiveHub implements BulkHub {
  readonly #deps: Deps
  readonly #certificate: BulkCertificate
  readonly #hosts: readonly string[]
  readonly #port: number
  readonly #tokens: TokenTable<BulkGuest>
  #listener: BulkListener | undefined

  constructor(
    deps: Deps,
    certificate: BulkCertificate,
    listenAddresses: readonly string[],
    port: number,
  ) {
    this.#deps = deps
    this.#certificate = certificate
    this.#hosts = [...new Set(listenAddresses.map(hostIn).filter(host => host !== undefined))]
    this.#port = port
    this.#tokens = createTokenTable(deps)
  }

  async start(): Promise<void> {
    const { clock, log } = this.#deps
    const certificate = this.#certificate
    this.#listener = await openBulkListener(
      {
        clock,
        log,
        certificate,
        admit: (token, socket, rest) => {
          const guest = this.#tokens.ownerOf(token)
          guest?.welcome(socket, rest)
          return guest !== undefined
        },
      },
      this.#hosts,
      this.#port,
    )
  }

  async stop(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    await listener?.close()
  }

  offer(guest: BulkGuest): BulkOffer | undefined {
    if (this.#listener === undefined) return undefined
    return {
      port: this.#listener.port,
      fingerprint: this.#certificate.fingerprint,
      token: this.#tokens.issue(guest),
      lifetimeMs: BULK_TOKEN_LIFETIME_MS,
    }
  }

  revoke(guest: BulkGuest): void {
    this.#tokens.revoke(guest)
  }
}
