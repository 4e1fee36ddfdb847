/**
 * The byte forms that are hashed and signed. Two, because TUF signs the OLPC form, in which a line break stands raw
 * inside a string (PEM keys have them), so that it is not always JSON; files and manifests use RFC 8785, which is.
 * For integers and text without control characters both are the same bytes.
 * @see TUF specification 1.0.34 §4.1, RFC 8785
 */
import { NodeError } from './errors.ts'

export class CanonicalJsonError extends NodeError<'JSON_NOT_CANONICAL'> {}

/** Deeper documents are refused: a bound for hostile input, far above any real document. */
const DEPTH_MAX = 64

/**
 * RFC 8785, integers only: the bytes of published files.
 * @throws CanonicalJsonError `JSON_NOT_CANONICAL` for floats, unsafe integers, lone surrogates and non-JSON values.
 */
export function canonicalJson(value: unknown): Uint8Array {
  return Buffer.from(write(value, 0, JSON.stringify), 'utf8')
}

/**
 * OLPC canonical JSON: the bytes that a TUF signature covers.
 * @throws CanonicalJsonError `JSON_NOT_CANONICAL` as above.
 */
export function olpcJson(value: unknown): Uint8Array {
  return Buffer.from(write(value, 0, quoteOlpc), 'utf8')
}

type Quote = (text: string) => string

function quoteOlpc(text: string): string {
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`
}

function write(value: unknown, depth: number, quote: Quote): string {
  if (depth > DEPTH_MAX) throw notCanonical(`nested deeper than ${DEPTH_MAX} levels`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return writeInteger(value)
  if (typeof value === 'string') return writeString(value, quote)
  if (Array.isArray(value)) {
    return `[${value.map(item => write(item, depth + 1, quote)).join(',')}]`
  }
  if (typeof value === 'object') return writeObject(value, depth, quote)
  throw notCanonical(`a ${typeof value} is not JSON`)
}

function writeObject(value: object, depth: number, quote: Quote): string {
  const record = value as Readonly<Record<string, unknown>>
  let members = ''
  for (const key of Object.keys(record).sort(byCodePoint)) {
    const item = record[key]
    if (item === undefined) continue
    const comma = members === '' ? '' : ','
    members += `${comma}${writeString(key, quote)}:${write(item, depth + 1, quote)}`
  }
  return `{${members}}`
}

/** Code-point order, as in UTF-8; differs from JavaScript's own order only beyond U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return rankOf(x) - rankOf(y)
  }
  return a.length - b.length
}

/** Moves the halves of characters beyond U+FFFF behind U+E000 to U+FFFF, where their code points stand. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function writeInteger(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw notCanonical(`${value} is not an integer of at most 2^53-1`)
  }
  return String(value)
}

function writeString(value: string, quote: Quote): string {
  if (!value.isWellFormed()) throw notCanonical('a string holds a lone surrogate')
  return quote(value)
}

function notCanonical(why: string): CanonicalJsonError {
  return new CanonicalJsonError('JSON_NOT_CANONICAL', `cannot be written as canonical JSON: ${why}`)
}
