/** The head of an HTTP/1.1 answer. Pure; the plain form that every static web server sends, and nothing else. */

export interface Head {
  readonly statusCode: number
  /** Names in lower case; the last of several with one name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** nginx and Apache send at most 8 KiB. */
export const HEAD_BYTES_MAX = 16 * 1024

const END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] ([2-5]\d\d)(?: [^\r\n]*)?$/
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*$/

/**
 * The head and where the body begins; `undefined` while it is incomplete; `unusual` for what is not read here: other
 * protocols, 1xx answers, folded lines, two lengths.
 * @see RFC 9112 §4, §5
 */
export function readHead(
  bytes: Uint8Array,
): { readonly head: Head; readonly bodyAt: number } | 'unusual' | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const end = text.indexOf(END)
  if (end < 0) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = STATUS_LINE.exec(first)?.[1]
  if (status === undefined) return 'unusual'
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name === undefined || value === undefined) return 'unusual'
    const key = name.toLowerCase()
    if (key === 'content-length' && headers[key] !== undefined) return 'unusual'
    headers[key] = value
  }
  return { head: { statusCode: Number(status), headers }, bodyAt: end + END.length }
}

/** The length of a body that is sent as it is; `undefined` when it is cut into chunks, coded, or of unknown length. */
export function plainLength({ headers }: Head): number | undefined {
  const { 'transfer-encoding': transfer, 'content-length': length } = headers
  if (transfer !== undefined || typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    return undefined
  }
  return Number(length)
}
