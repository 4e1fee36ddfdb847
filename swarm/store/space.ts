/** How much the store may still take: what the owner allows, what the disk has, and what is promised already. Pure. */

export interface Space {
  /** What the blobs take of the disk. */
  readonly usedBytes: number
  /** What running downloads will still take. */
  readonly promisedBytes: number
  /** What the disk has left, promised or not. */
  readonly freeBytes: number
  readonly minFreeBytes: number
  /** The most that the blobs may take together; `undefined`: only the disk limits it. */
  readonly quotaBytes: number | undefined
}

export interface Shortage {
  readonly kind: 'quota' | 'disk'
  /** So much must go before the download may begin. */
  readonly missingBytes: number
}

/** The most that the blobs may take together at the moment. */
export function capacityBytes({ usedBytes, freeBytes, minFreeBytes, quotaBytes }: Space): number {
  const diskBytes = usedBytes + freeBytes - minFreeBytes
  return Math.max(0, Math.min(diskBytes, quotaBytes ?? diskBytes))
}

/** `undefined` when `neededBytes` more fit beside everything that is promised. */
export function shortageOf(space: Space, neededBytes: number): Shortage | undefined {
  const { usedBytes, promisedBytes, freeBytes, minFreeBytes, quotaBytes } = space
  const comingBytes = promisedBytes + neededBytes
  const onDisk = comingBytes + minFreeBytes - freeBytes
  const inQuota = usedBytes + comingBytes - (quotaBytes ?? Number.POSITIVE_INFINITY)
  if (onDisk <= 0 && inQuota <= 0) return undefined
  return inQuota > onDisk
    ? { kind: 'quota', missingBytes: inQuota }
    : { kind: 'disk', missingBytes: onDisk }
}

/** Above this share of the capacity a clean-up begins, and ends at the lower one: it does not run at every download. */
const HIGH_WATERMARK = 0.95
const LOW_WATERMARK = 0.85

/** What a clean-up in quiet times should free; 0 below the high mark. */
export function excessBytes(space: Space): number {
  const capacity = capacityBytes(space)
  const takenBytes = space.usedBytes + space.promisedBytes
  if (takenBytes <= capacity * HIGH_WATERMARK) return 0
  return Math.ceil(takenBytes - capacity * LOW_WATERMARK)
}
