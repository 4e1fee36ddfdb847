/** A small HTTP origin on loopback with Range requests, whose faults a test can choose. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPieceLayerBuilder } from '../../../src/core/blake3/index.ts'
import { type Digest, hexOf } from '../../../src/core/digest.ts'

export interface OriginServer extends AsyncDisposable {
  readonly url: string
  /** Bytes of blobs sent so far; piece layers not counted. */
  readonly sentBytes: number
  readonly ranges: readonly string[]
  /** Adds a blob and returns its address. */
  add(bytes: Uint8Array): Digest
  /** Flips one byte in each answer. */
  lie: boolean
  /** Answers 404 to every blob and layer. */
  isEmpty: boolean
  /** Milliseconds to wait before each 64 KiB. */
  delayMs: number
}

const CHUNK_BYTES = 64 * 1024

export async function startOrigin(): Promise<OriginServer> {
  const files = new Map<string, Uint8Array>()
  const state = { lie: false, isEmpty: false, delayMs: 0, sentBytes: 0, ranges: [] as string[] }
  const server = createServer((request, response) => {
    answer(files, state, request, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/`,
    add(bytes: Uint8Array): Digest {
      const builder = createPieceLayerBuilder(bytes.byteLength)
      builder.update(bytes)
      const { digest, layer } = builder.finish()
      const hex = hexOf(digest)
      const path = `/blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
      files.set(path, bytes)
      if (layer !== undefined) files.set(`${path}.pieces`, layer)
      return digest
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
}

type State = Pick<OriginServer, 'lie' | 'isEmpty' | 'delayMs'> & {
  sentBytes: number
  ranges: string[]
}

async function answer(
  files: ReadonlyMap<string, Uint8Array>,
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? ''
  const file = files.get(path)
  if (file === undefined || state.isEmpty) {
    response.writeHead(404).end()
    return
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const first = range === null ? 0 : Number(range[1])
  const last = range === null ? file.byteLength - 1 : Number(range[2])
  const body = Buffer.from(file.subarray(first, last + 1))
  const isLayer = path.endsWith('.pieces')
  if (state.lie && !isLayer) body[0] = (body[0] ?? 0) ^ 1
  if (!isLayer) state.ranges.push(`${first}-${last}`)
  response.writeHead(range === null ? 200 : 206, {
    'content-length': body.byteLength,
    ...(range === null ? {} : { 'content-range': `bytes ${first}-${last}/${file.byteLength}` }),
  })
  for (let at = 0; at < body.byteLength; at += CHUNK_BYTES) {
    if (state.delayMs > 0) await sleep(state.delayMs)
    const chunk = body.subarray(at, at + CHUNK_BYTES)
    if (!isLayer) state.sentBytes += chunk.byteLength
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
