/** The small value types of manifests: ids, durations, sizes. Text in the file, numbers in the program. */
import { z } from 'zod'
import {
  APP_ID,
  APP_ID_LENGTH_MAX,
  APP_ID_LENGTH_MIN,
  isReserved,
  LABEL,
  RESERVED_ENDINGS,
  VERSION,
  VERSION_LENGTH_MAX,
} from './names.ts'

const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

/** `90s`, `10m`: a text of milliseconds between `minMs` and `maxMs`. */
export function durationBetween(minText: string, maxText: string) {
  return z
    .string({ error: textWanted })
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, {
      message: 'must be a duration such as "30s" or "10m"',
      abort: true,
    })
    .refine(
      text => durationMs(text) >= durationMs(minText) && durationMs(text) <= durationMs(maxText),
      {
        message: `must be between ${minText} and ${maxText}`,
      },
    )
}

/** `512MiB`, `4GiB`: a text of 1 byte to 2^53 - 1 bytes. */
export const byteSize = z
  .string({ error: textWanted })
  .regex(/^\d{1,9}(B|KiB|MiB|GiB|TiB)$/, {
    message: 'must be a size such as "512MiB" or "4GiB"',
    abort: true,
  })
  .refine(text => byteCount(text) >= 1 && Number.isSafeInteger(byteCount(text)), {
    message: 'must be at least 1B and below 8192TiB',
  })

/** Milliseconds of a text that `durationBetween` accepted. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  return Number(match?.[1]) * DURATION_UNITS_MS[match?.[2] as keyof typeof DURATION_UNITS_MS]
}

/** Bytes of a text that `byteSize` accepted. */
export function byteCount(text: string): number {
  const match = /^(\d+)(B|KiB|MiB|GiB|TiB)$/.exec(text)
  return Number(match?.[1]) * SIZE_UNITS[match?.[2] as keyof typeof SIZE_UNITS]
}

export const appId = z
  .string()
  .regex(APP_ID, 'must be lower-case words joined by single dashes')
  .min(APP_ID_LENGTH_MIN)
  .max(APP_ID_LENGTH_MAX)
  .refine(id => !isReserved(id), {
    message: `must not end in ${RESERVED_ENDINGS.join(', ')}`,
  })

/** A DNS label. */
export const label = z
  .string()
  .regex(LABEL, 'must be a DNS label: lower-case letters, digits, dashes')

export const version = z
  .string({ error: textWanted })
  .max(VERSION_LENGTH_MAX)
  .regex(VERSION, 'must be made of letters, digits and . + _ -')
  .regex(/\d/, 'must contain a digit')

/** An absolute path inside a container. */
export const containerPath = z
  .string()
  .max(255)
  .regex(/^\/[A-Za-z0-9._/@+-]*$/, 'must be an absolute path of letters, digits and . _ / @ + -')
  .refine(path => path === '/' || path.split('/').slice(1).every(isPlainPart), {
    message: 'must not contain "..", "." or empty parts, nor end in "/"',
  })

function isPlainPart(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..'
}

export const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be an environment variable name')

/** One line of text without control characters: what may stand in a unit file. */
export const line = (max: number) =>
  z
    .string({ error: textWanted })
    .max(max)
    .refine(text => !/\p{Cc}/u.test(text), {
      message: 'must not contain line breaks or control characters',
    })

/** YAML reads `1.10` as the number 1.1; the text that the author meant is lost, so it is not converted. */
export function textWanted(issue: { readonly input?: unknown }): string {
  if (issue.input === undefined) return 'is missing (expected text)'
  const shown = typeof issue.input === 'number' ? `, not the number ${issue.input}` : ''
  return `must be text${shown}; write it in quotes`
}
