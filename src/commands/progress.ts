/** How far something is, as one line for a person who watches. Pure. */
import type { BytesBySource } from '../../swarm/index.ts'
import { formatBytes, formatDuration } from './format.ts'

const BAR_CELLS = 20

/** `[########············] 41 %`: never full before everything is there. */
export function formatBar(heldBytes: number, sizeBytes: number): string {
  const share = sizeBytes === 0 ? 1 : Math.min(1, heldBytes / sizeBytes)
  const cells = Math.floor(share * BAR_CELLS)
  return `[${'#'.repeat(cells)}${'·'.repeat(BAR_CELLS - cells)}] ${Math.floor(share * 100)} %`
}

export interface Progress {
  readonly heldBytes: number
  readonly sizeBytes: number
  readonly bytesPerSecond?: Readonly<Record<keyof BytesBySource, number>>
}

/** The bar, the bytes, how fast they come from whom, and how long that would take for the rest. */
export function formatProgress({ heldBytes, sizeBytes, bytesPerSecond }: Progress): string {
  const done = `${formatBar(heldBytes, sizeBytes)} of ${formatBytes(sizeBytes)}`
  const { peer = 0, origin = 0 } = bytesPerSecond ?? {}
  if (peer + origin === 0) return done
  const left = formatDuration(((sizeBytes - heldBytes) / (peer + origin)) * 1000)
  const from = [
    ...(peer > 0 ? [`peers ${formatBytes(peer)}/s`] : []),
    ...(origin > 0 ? [`origin ${formatBytes(origin)}/s`] : []),
  ]
  return `${done}, ${from.join(', ')}, ${left} left`
}
