/** Where Prometheus reads: one page, at an address that the owner chose. It listens nowhere by itself. */
import { fastify } from 'fastify'
import { messageOf, NodeError } from '../core/errors.ts'
import type { NodeStatus } from '../status.ts'
import { METRICS_CONTENT_TYPE, metricsText, processFigures } from './metrics-text.ts'

export class MetricsError extends NodeError<'METRICS_LISTEN_FAILED'> {}

/** @throws MetricsError `METRICS_LISTEN_FAILED` */
export async function serveMetrics(
  status: () => Promise<NodeStatus>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = fastify({ forceCloseConnections: true, requestTimeout: 10_000 })
  server.get('/metrics', async (_request, reply) => {
    return reply
      .type(METRICS_CONTENT_TYPE)
      .send(await metricsText(await status(), processFigures()))
  })
  try {
    await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    const fix = 'choose another address in metrics.listen'
    const message = `cannot serve metrics on ${host}:${port}: ${messageOf(cause)}; ${fix}`
    throw new MetricsError('METRICS_LISTEN_FAILED', message, { cause })
  }
  const address = server.server.address()
  const bound = typeof address === 'object' ? address?.port : undefined
  return { port: bound ?? port, [Symbol.asyncDispose]: () => server.close() }
}
