/**
 * A process that opens as many streams as it can and pushes bytes into all of them, whether or not anybody reads.
 * Arguments: an address, a protocol, the number of streams. Prints `{"streams", "sentBytes"}` when nothing more is taken, and stays.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { encodeMessage } from '../../../swarm/wire.ts'
import { startStranger } from './stranger.ts'

const [address = '', protocol = '', streamCount = '1'] = process.argv.slice(2)
const HELLO = encodeMessage({ kind: 'hello', version: 1, requestsMax: 64 })
/** DATA that nobody asked for: 64 KiB of it, behind the kind, an id and an offset. */
const DATA = Buffer.alloc(4 + 1 + 8 + 64 * 1024)
DATA.writeUInt32BE(DATA.byteLength - 4, 0)
DATA.writeUInt8(6, 4)
const BYTES_MAX = 128 * 1024 * 1024
/** Nothing was taken for this long: nothing more will be. */
const STUCK_MS = 1_000

const stranger = await startStranger()
const connection = await stranger.dial(multiaddr(address))
const streams: Stream[] = []
for (let left = Number(streamCount); left > 0; left -= 1) {
  const signal = AbortSignal.timeout(500)
  const stream = await connection.newStream(protocol, { signal }).catch(() => undefined)
  if (stream === undefined) continue
  stream.send(HELLO)
  streams.push(stream)
}
let sentBytes = 0
await Promise.all(streams.map(fill))
process.stdout.write(`${JSON.stringify({ streams: streams.length, sentBytes })}\n`)
process.stdin.resume()

async function fill(stream: Stream): Promise<void> {
  while (stream.status === 'open' && sentBytes < BYTES_MAX) {
    const mayGoOn = stream.send(DATA)
    sentBytes += DATA.byteLength
    if (mayGoOn) continue
    const drained = new Promise(resolve => {
      stream.addEventListener('drain', () => resolve(true), { once: true })
      stream.addEventListener('close', () => resolve(true), { once: true })
    })
    if ((await Promise.race([drained, sleep(STUCK_MS, false)])) === false) return
  }
}
