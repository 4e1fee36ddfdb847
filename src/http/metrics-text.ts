/** The metrics of a node in the text format of Prometheus. The only user of `prom-client`. */
import { Counter, Gauge, Registry } from 'prom-client'
import { METRICS, type ProcessFigures } from '../metrics.ts'
import type { NodeStatus } from '../status.ts'

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Made anew for each reading: the status is the only place where numbers are kept. */
export async function metricsText(status: NodeStatus, figures: ProcessFigures): Promise<string> {
  const registry = new Registry()
  for (const { name, type, help, labels, read } of METRICS) {
    const options = { name, help, labelNames: labels, registers: [registry] }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    for (const sample of read(status, figures)) metric.inc(sample.labels, sample.value)
  }
  return await registry.metrics()
}

/** What the system says of this process. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() }
}
