/** Reads single fields of authenticated JSON; each function throws a `CatalogError` with the path of the field. */
import { CatalogError } from '../errors.ts'
import { isObject } from './envelope.ts'

/** A value inside a document, with where it stands. */
export interface Field {
  /** For example `root.json`. */
  readonly file: string
  /** Its name in the object, or `[number]` in the list, that holds it; the place in full is made only for an error. */
  readonly key: string
  readonly parent: Field | undefined
  readonly value: unknown
}

export function documentField(file: string, value: unknown): Field {
  return { file, key: '', parent: undefined, value }
}

/** The member `key`, which may be absent (`value` is then undefined). Never looks at a prototype. */
export function member(field: Field, key: string): Field {
  const value = objectOf(field)
  return below(field, key, Object.hasOwn(value, key) ? value[key] : undefined)
}

/** Every member of an object with free keys. */
export function membersOf(field: Field): readonly (readonly [string, Field])[] {
  return Object.entries(objectOf(field)).map(([key, value]) => [key, below(field, key, value)])
}

export function itemsOf(field: Field): readonly Field[] {
  if (!Array.isArray(field.value)) throw wrong(field, 'must be a list')
  const items: readonly unknown[] = field.value
  return items.map((value, index) => below(field, `[${index}]`, value))
}

function below(parent: Field, key: string, value: unknown): Field {
  return { file: parent.file, key, parent, value }
}

export function objectOf(field: Field): Readonly<Record<string, unknown>> {
  if (!isObject(field.value)) throw wrong(field, 'must be an object')
  return field.value
}

export function textOf(field: Field): string {
  if (typeof field.value !== 'string') throw wrong(field, 'must be text')
  return field.value
}

export function booleanOf(field: Field): boolean {
  if (typeof field.value !== 'boolean') throw wrong(field, 'must be true or false')
  return field.value
}

/** An integer of at least `min` that JavaScript holds exactly. */
export function integerOf(field: Field, min: number): number {
  const { value } = field
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw wrong(field, `must be an integer from ${min} to 2^53-1`)
  }
  return value
}

export function wrong(
  field: Field,
  why: string,
  code: CatalogError['code'] = 'METADATA_MALFORMED',
): CatalogError {
  return new CatalogError(code, `${field.file} is not valid metadata: ${placeOf(field)} ${why}`)
}

const KEY_SHOWN_MAX = 80

/** For example `roles.timestamp.keyids[0]`. */
function placeOf({ key, parent }: Field): string {
  if (parent === undefined) return 'the document'
  const shown = key.slice(0, KEY_SHOWN_MAX)
  if (parent.parent === undefined) return shown
  return `${placeOf(parent)}${shown.startsWith('[') ? '' : '.'}${shown}`
}
