/** Which limits are in force at a time of day: the owner's word, else the schedule, else the configuration. Pure. */

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Day = (typeof DAYS)[number]

export const LIMIT_NAMES = ['upload', 'download', 'origin'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** Bytes per second; `null`: no limit. A name that is absent is left as it is. */
export type Limits = { readonly [N in LimitName]?: number | null }

/** A time of the week with limits of its own. */
export interface ScheduleEntry {
  /** The days on which `fromMinute` lies. */
  readonly days: readonly Day[]
  /** Minutes since midnight, local time. */
  readonly fromMinute: number
  /** Not after `fromMinute`: it ends on the next day. Equal: it lasts a whole day. */
  readonly toMinute: number
  readonly limits: Limits
}

/** One limit and who set it. */
export interface LimitInForce {
  readonly bytesPerSecond: number | undefined
  readonly setBy: 'owner' | 'schedule' | 'configuration'
}

export type LimitsInForce = { readonly [N in LimitName]: LimitInForce }

export interface LimitSettings {
  readonly configured: Limits
  readonly schedule: readonly ScheduleEntry[]
  /** What the owner said to the running node; it goes over everything else until it is taken back. */
  readonly words: Limits
}

/** Of two entries that cover the same time, the first one that names a limit sets it. */
export function limitsInForce(settings: LimitSettings, nowMs: number): LimitsInForce {
  const now = new Date(nowMs)
  const entries = settings.schedule.filter(entry => covers(entry, now))
  const choose = (name: LimitName): LimitInForce => {
    const word = settings.words[name]
    if (word !== undefined) return inForce(word, 'owner')
    const scheduled = entries.find(({ limits }) => limits[name] !== undefined)?.limits[name]
    if (scheduled !== undefined) return inForce(scheduled, 'schedule')
    return inForce(settings.configured[name], 'configuration')
  }
  return { upload: choose('upload'), download: choose('download'), origin: choose('origin') }
}

function inForce(rate: number | null | undefined, setBy: LimitInForce['setBy']): LimitInForce {
  return { bytesPerSecond: rate ?? undefined, setBy }
}

function covers({ days, fromMinute, toMinute }: ScheduleEntry, now: Date): boolean {
  const today = DAYS[now.getDay()] ?? 'sun'
  const yesterday = DAYS[(now.getDay() + 6) % 7] ?? 'sun'
  const minute = now.getHours() * 60 + now.getMinutes()
  if (fromMinute < toMinute) {
    return days.includes(today) && minute >= fromMinute && minute < toMinute
  }
  return (
    (days.includes(today) && minute >= fromMinute) ||
    (days.includes(yesterday) && minute < toMinute)
  )
}
