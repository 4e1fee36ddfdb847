import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { createPodmanApi } from '../../../../orchestrator/host/podman-api.ts'
import { codeOf, messageOf } from '../../../../src/core/errors.ts'
import { makeTempFolder, type TempFolder } from '../../../support/temp-folder.ts'

const GET = { method: 'GET', path: '/x' } as const
const isUp = (): Promise<void> => Promise.reject(new Error('it is up'))

describe('createPodmanApi', () => {
  let folder: TempFolder
  let server: Server | undefined
  let path: string
  beforeEach(async () => {
    folder = await makeTempFolder()
    path = join(folder.path, 'podman.sock')
  })
  afterEach(async () => {
    server?.closeAllConnections()
    server?.close()
    server = undefined
    await folder[Symbol.asyncDispose]()
  })

  async function serve(listener: RequestListener): Promise<void> {
    server = createServer(listener)
    server.listen(path)
    await once(server, 'listening')
  }
  async function failure(promise: Promise<unknown>): Promise<unknown> {
    return await promise.then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  it('gives the status, the bytes, and what Podman says went wrong', async () => {
    await serve((request, response) => {
      response.statusCode = request.url === '/v5.0.0/libpod/x' ? 200 : 409
      response.end(JSON.stringify({ cause: 'c', message: 'image is in use' }))
    })
    const api = createPodmanApi(path, isUp)
    const { status, problem, body } = await api.ask(GET)
    expect([status, problem, JSON.parse(body.toString())]).to.deep.equal([
      ...[200, '', { cause: 'c', message: 'image is in use' }],
    ])
    const refused = await api.ask({ ...GET, path: '/y' })
    expect([refused.status, refused.problem]).to.deep.equal([409, 'image is in use'])
  })

  it('starts the socket when nobody listens, and asks again', async () => {
    const api = createPodmanApi(path, () => serve((_request, response) => response.end('[]')))
    expect((await api.ask(GET)).body.toString()).to.equal('[]')
  })

  it('names the socket and what to look at when it does not start', async () => {
    const api = createPodmanApi(path, () => Promise.reject(new Error('podman is not installed')))
    const error = await failure(api.ask(GET))
    expect(codeOf(error)).to.equal('HOST_UNREACHABLE')
    expect(messageOf(error)).to.include(path)
    expect(messageOf(error)).to.match(/podman is not installed; see "systemctl --user status/)
  })

  it('asks again what a service that was just ending dropped, unless it may have been done', async () => {
    const seen: string[] = []
    await serve((request, response) => {
      seen.push(request.method ?? '')
      if (seen.length % 2 === 1) request.socket.destroy()
      else response.end('[]')
    })
    const api = createPodmanApi(path, isUp)
    expect((await api.ask(GET)).body.toString()).to.equal('[]')
    const error = await failure(api.ask({ method: 'POST', path: '/x' }))
    expect(codeOf(error)).to.equal('HOST_UNREACHABLE')
    expect(seen).to.deep.equal(['GET', 'GET', 'POST'])
  })

  it('gives up on an answer that does not begin, or does not end, in time', async () => {
    await serve((request, response) => {
      if (request.url?.endsWith('/half') === true) response.write('[')
    })
    const api = createPodmanApi(path, isUp)
    for (const end of ['/never', '/half']) {
      const error = await failure(api.ask({ method: 'GET', path: end, timeoutMs: 50 }))
      expect(codeOf(error), end).to.equal('HOST_COMMAND_TIMEOUT')
    }
  })

  it('does not read an answer without end', async () => {
    await serve((_request, response) => {
      const fill = (): void => {
        while (response.write(Buffer.alloc(2 ** 20)));
      }
      response.on('drain', fill)
      fill()
    })
    const error = await failure(createPodmanApi(path, isUp).ask(GET))
    expect(messageOf(error)).to.match(/an answer of more than \d+ bytes/)
  })

  it('sends bytes as bytes, which Podman must not take for a form', async () => {
    const seen: string[] = []
    await serve((request, response) => {
      seen.push(request.headers['content-type'] ?? '')
      request.resume()
      response.end()
    })
    const api = createPodmanApi(path, isUp)
    await api.ask({ method: 'POST', path: '/x', body: new Uint8Array([1]) })
    await api.ask({ method: 'POST', path: '/x', body: { a: 1 } })
    expect(seen).to.deep.equal(['application/octet-stream', 'application/json'])
  })
})
