/** A real S3-compatible server on loopback, for the life of a test. It checks signatures and MD5 sums as S3 does. */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  /** Every request so far, such as `PUT /apps/home/catalog/timestamp.json`. */
  readonly requests: string[]
  /** Lets the next requests with this method and path fail with a status. */
  failNext(method: string, path: RegExp, status: number, times: number): void
}

/** The credentials that the server knows. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const

export async function startS3(bucket: string): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'archy-s3-'))
  const store = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: bucket }],
  })
  store.middleware.unshift(excuseListings)
  await store.configureBuckets()
  const requests: string[] = []
  const failures: { method: string; path: RegExp; status: number; times: number }[] = []
  const handle = store.callback()
  const server: Server = createServer((request, response) => {
    const { method = '', url = '' } = request
    requests.push(`${method} ${url}`)
    const failure = failures.find(f => f.times > 0 && f.method === method && f.path.test(url))
    if (failure !== undefined) {
      failure.times -= 1
      request.resume()
      response.writeHead(failure.status).end()
      return
    }
    handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    failNext: (method, path, status, times) => void failures.push({ method, path, status, times }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/**
 * The client signs a listing for `/bucket/`, as S3 does; this server computes the signature for `/bucket`. Only there a
 * signature may differ; all others are checked.
 */
async function excuseListings(
  context: { readonly path: string; app: object },
  next: () => Promise<void>,
): Promise<void> {
  if (/^\/[^/]+\/$/.test(context.path)) {
    context.app = Object.create(context.app, { allowMismatchedSignatures: { value: true } })
  }
  await next()
}
