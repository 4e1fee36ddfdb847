/** Whether a value is one that a config field of a manifest takes: a default, or what the owner sets. Pure. */
import { z } from 'zod'
import type { AppManifest } from './schema.ts'

export type ConfigField = AppManifest['config'][string]

const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/
/** One part on each side of the "@"; whether it can be reached, only a letter to it tells. */
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,253}$/
const ADDRESS = z.union([z.ipv4(), z.ipv6()])
const INTEGER = /^-?(0|[1-9]\d{0,14})$/
const PORT_MAX = 65_535

/**
 * What is wrong with `value` as a value of `field`, or nothing. A text stands for an integer or a truth value if it
 * is written like one, because a command line knows nothing but text.
 */
export function configValueProblem(
  field: ConfigField,
  value: string | number | boolean,
): string | undefined {
  const text = String(value)
  if (/\p{Cc}/u.test(text)) return 'must be one line without control characters'
  switch (field.type) {
    case 'string':
      return typeof value === 'string'
        ? outside(field, value.length, ' characters')
        : 'must be text'
    case 'integer':
      return INTEGER.test(text) ? outside(field, Number(text), '') : 'must be a whole number'
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : 'must be true or false'
    case 'enum':
      if (field.values?.includes(text) === true) return undefined
      return `must be one of ${(field.values ?? []).join(', ')}`
    case 'port':
      if (INTEGER.test(text) && Number(text) >= 1 && Number(text) <= PORT_MAX) return undefined
      return `must be a port number from 1 to ${PORT_MAX}`
    case 'url':
      return URL.canParse(text) ? undefined : 'must be a URL such as https://example.org/'
    case 'host':
      return HOST.test(text) || ADDRESS.safeParse(text).success
        ? undefined
        : 'must be a host name or IP address'
    case 'email':
      return EMAIL.test(text) ? undefined : 'must be an email address'
  }
}

function outside({ min, max }: ConfigField, size: number, unit: string): string | undefined {
  if (min !== undefined && size < min) return `must be at least ${min}${unit}`
  return max !== undefined && size > max ? `must be at most ${max}${unit}` : undefined
}
