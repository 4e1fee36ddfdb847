/** Asks the running node over its Unix socket. */
import { Agent, request } from 'undici'
import { z } from 'zod'
import { codeOf, NodeError } from '../core/errors.ts'

/** The node did not answer, or answered with an error: its `code` and message are passed on. */
export class ControlClientError extends NodeError<string> {}

/** A stop may take the app's whole grace, which is up to an hour. */
const ANSWER_TIMEOUT_MS = 3_700_000

const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), problems: z.array(z.string()) }),
})

export interface ControlClient extends AsyncDisposable {
  /** @throws ControlClientError `NODE_NOT_RUNNING`, or the code that the node gave. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>
}

export function createControlClient(socket: string): ControlClient {
  const agent = new Agent({
    connect: { socketPath: socket },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  })
  return {
    async call(method, path, body) {
      const response = await send(agent, socket, method, path, body)
      const answer: unknown = await response.body.json()
      if (response.statusCode < 400) return answer
      const { error } = errorBody.parse(answer)
      throw new ControlClientError(error.code, error.message, { problems: error.problems })
    },
    [Symbol.asyncDispose]: () => agent.close(),
  }
}

async function send(
  agent: Agent,
  socket: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body: unknown,
) {
  try {
    return await request(`http://archy${path}`, {
      method,
      dispatcher: agent,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'EACCES') throw error
    const fix = 'start it with "archy node run" or "systemctl --user start archy"'
    throw new ControlClientError('NODE_NOT_RUNNING', `no node answers on ${socket}; ${fix}`, {
      cause: error,
    })
  }
}
