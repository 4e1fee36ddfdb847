/** Reads single values of an app entry without an object for each: `at` is only where the value stands, for the error. */
import { type Digest, isDigest, type Sha256, sha256FromHex } from '../src/core/digest.ts'
import { CatalogError } from './errors.ts'
import { isObject } from './trust/envelope.ts'

export type Json = Readonly<Record<string, unknown>>

/** More than a careful publisher keeps; bounds what one entry can cost. */
const LIST_COUNT_MAX = 64

/** Never looks at a prototype. */
export function memberOf(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

export function objectOf(value: unknown, at: string): Json {
  if (!isObject(value)) throw wrong(at, 'must be an object')
  return value
}

export function textOf(value: unknown, at: string, min = 0, max = Number.MAX_SAFE_INTEGER): string {
  if (typeof value !== 'string') throw wrong(at, 'must be text')
  if (value.length < min || value.length > max) {
    throw wrong(at, `must have ${min} to ${max} characters`)
  }
  return value
}

export function integerOf(
  value: unknown,
  at: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw wrong(at, `must be an integer from ${min} to ${max}`)
  }
  return value
}

export function booleanOf(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw wrong(at, 'must be true or false')
  return value
}

export function wordOf<Word extends string>(
  value: unknown,
  at: string,
  words: readonly Word[],
): Word {
  const found = words.find(word => word === value)
  if (found === undefined) throw wrong(at, `must be one of: ${words.join(', ')}`)
  return found
}

export function blake3Of(value: unknown, at: string): Digest {
  const text = textOf(value, at)
  if (!isDigest(text)) throw wrong(at, 'must be "blake3:" and 64 lower-case hex digits')
  return text
}

export function sha256Of(value: unknown, at: string): Sha256 {
  const digest = sha256FromHex(textOf(value, at))
  if (digest === undefined) throw wrong(at, 'must be 64 lower-case hex digits')
  return digest
}

export function listOf<Item>(
  value: unknown,
  at: string,
  min: number,
  read: (item: unknown, at: string) => Item,
  max = LIST_COUNT_MAX,
): readonly Item[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    throw wrong(at, `must be a list of ${min} to ${max}`)
  }
  const items: readonly unknown[] = value
  return items.map((item, index) => read(item, `${at}[${index}]`))
}

export function wrong(at: string, why: string): CatalogError {
  return new CatalogError('METADATA_MALFORMED', `${at} ${why}`)
}
