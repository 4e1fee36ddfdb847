/** Serves the public folder of an origin over HTTP(S): what any static web server does, for publishers without one. */
import { ReadStream } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'
import { codeOf, messageOf, NodeError } from '../core/errors.ts'
import { isFolder } from '../core/files.ts'
import type { Log } from '../core/log.ts'

export class OriginServerError extends NodeError<
  'ORIGIN_LISTEN_FAILED' | 'ORIGIN_PUBLIC_MISSING'
> {}

export interface OriginServerOptions {
  readonly host: string
  /** 0: any free port; the address says which. */
  readonly port: number
  /** PEM texts; without them the server speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly log: Log
}

export interface OriginServer extends AsyncDisposable {
  /** Base URL, with a slash at the end: `http://127.0.0.1:8080/`. */
  readonly url: string
  readonly port: number
  stats(): OriginStats
  /** Ends open connections and frees the port. */
  close(): Promise<void>
}

export interface OriginStats {
  readonly requests: number
  /** Bytes of blobs and piece layers that were read to be sent; of a request that was cut off, what was read by then. */
  readonly blobBytes: number
}

/** The only paths there are; everything else is 404 without a look at the disk. */
const CATALOG_PATH = /^\/catalog\/[A-Za-z0-9][A-Za-z0-9._-]*\.json$/
/** The file of a publisher, standing alone. */
const FEED_PATH = /^\/feeds\/z[0-9a-f]{20}\.json$/
const BLOB_PATH = /^\/blobs\/blake3\/([0-9a-f]{2})\/([0-9a-f]{2})\/\1\2[0-9a-f]{60}(\.pieces)?$/
/** A blob never changes under its address. */
const FOREVER = 'public, max-age=31536000, immutable'
/** Longer than any honest client needs for a request line and its headers. */
const REQUEST_TIMEOUT_MS = 30_000
/** No request has a body. */
const BODY_BYTES_MAX = 1024

/**
 * Serves `folder` until `close()`: GET and HEAD, with Range, ETag and Last-Modified.
 * @throws OriginServerError `ORIGIN_PUBLIC_MISSING`, `ORIGIN_LISTEN_FAILED` (naming address and reason)
 */
export async function serveOrigin(
  folder: string,
  options: OriginServerOptions,
): Promise<OriginServer> {
  await checkFolder(resolve(folder))
  const root = await realpath(folder)
  const counts = { requests: 0, blobBytes: 0 }
  const server = createServer(options.tls)
  server.addHook('onRequest', async (request, reply) => {
    counts.requests += 1
    const [path = ''] = request.url.split('?')
    const isKnown = [CATALOG_PATH, FEED_PATH, BLOB_PATH].some(known => known.test(path))
    if (!isKnown || !(await isInside(root, path))) await reply.code(404).send(NOT_FOUND)
  })
  server.addHook('onSend', async (request, _reply, payload) => {
    const isFile = payload instanceof ReadStream
    if (isFile && request.url.startsWith('/blobs/')) countWhenClosed(payload, counts)
    return payload
  })
  server.addHook('onResponse', async (request, reply) => {
    const { method, url } = request
    options.log.debug('origin request', {
      method,
      url: url.slice(0, 200),
      status: reply.statusCode,
    })
  })
  await server.register(fastifyStatic, {
    root,
    index: false,
    dotfiles: 'ignore',
    decorateReply: false,
    cacheControl: false,
    setHeaders(reply, path) {
      const isBlob = path.startsWith(join(root, 'blobs'))
      reply.header('cache-control', isBlob ? FOREVER : 'no-cache')
      if (isBlob) reply.header('content-type', 'application/octet-stream')
    },
  })
  server.setNotFoundHandler(async (_request, reply) => await reply.code(404).send(NOT_FOUND))
  return listen(server, options, counts)
}

const NOT_FOUND = { error: 'not found' } as const

function createServer(tls: OriginServerOptions['tls']): FastifyInstance {
  const options = {
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
  }
  // The two calls make servers of different types that are used alike from here on.
  return tls === undefined
    ? fastify(options)
    : (fastify({ ...options, https: tls }) as unknown as FastifyInstance)
}

/** The file stream knows how much it gave, also when the client went away in the middle. */
function countWhenClosed(file: ReadStream, counts: { blobBytes: number }): void {
  file.once('close', () => {
    counts.blobBytes += file.bytesRead
  })
}

/** False where a symbolic link leads out of the folder, and where there is nothing. */
async function isInside(root: string, path: string): Promise<boolean> {
  try {
    return (await realpath(join(root, path))).startsWith(root + sep)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

async function listen(
  server: FastifyInstance,
  { host, port, tls }: OriginServerOptions,
  counts: OriginStats,
): Promise<OriginServer> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    throw listenFailed(error, host, port)
  }
  const address = server.server.address()
  const found = typeof address === 'object' && address !== null ? address.port : port
  const shownHost = host.includes(':') ? `[${host}]` : host
  const close = async (): Promise<void> => {
    await server.close()
  }
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shownHost}:${found}/`,
    port: found,
    stats: () => ({ ...counts }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function listenFailed(error: unknown, host: string, port: number): OriginServerError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there; give another --port',
    EACCES: 'ports below 1024 need a privilege; give a higher --port',
    EADDRNOTAVAIL: 'no network interface of this machine has that address; give another --host',
  }
  const reason = reasons[codeOf(error) ?? ''] ?? messageOf(error)
  return new OriginServerError(
    'ORIGIN_LISTEN_FAILED',
    `cannot serve on ${host} port ${port}: ${reason}`,
    { cause: error },
  )
}

/** An origin has a catalog; a publisher without one has a feed. */
async function checkFolder(root: string): Promise<void> {
  if (await isFolder(join(root, 'catalog'))) return
  if (await isFolder(join(root, 'feeds'))) return
  throw new OriginServerError(
    'ORIGIN_PUBLIC_MISSING',
    `${root} is not the public folder of an origin: it has no folder catalog`,
  )
}
