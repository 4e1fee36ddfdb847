/** A signing request as a holder reads it before signing: what changes, what names it, and who signs. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { hashOfRequest, type SigningRequest } from './request.ts'
import { fingerprintWords } from './words.ts'

const LINES_MAX = 200

export function requestText(request: SigningRequest): string {
  const { role, document, before, quorums } = request
  const hash = hashOfRequest(request)
  return [
    `${role} version ${document.version}, valid until ${document.expires}`,
    `sha256  ${hash}`,
    `words   ${fingerprintWords(hash)}`,
    '',
    'What changes:',
    ...changesOf(before ?? {}, document).map(line => `  ${line}`),
    '',
    ...quorums.map(
      ({ who, threshold, keys }) => `${who}: ${threshold} of ${Object.keys(keys).join(', ')}`,
    ),
  ]
    .map(printable)
    .join('\n')
}

/** A request comes from somebody else: what would steer a terminal, or turn its letters around, is spelt out. */
function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, found => {
    const code = found.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}

/** One line for each value that is new, gone or other; long texts are cut. */
export function changesOf(before: unknown, after: unknown): readonly string[] {
  const lines: string[] = []
  compare('', before, after, lines)
  if (lines.length === 0) return ['nothing but number and end']
  const rest = lines.length - LINES_MAX
  return rest > 0 ? [...lines.slice(0, LINES_MAX), `… and ${rest} more`] : lines
}

function compare(path: string, before: unknown, after: unknown, lines: string[]): void {
  if (isDeepStrictEqual(before, after)) return
  if (isObject(before) && isObject(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      compare(path === '' ? key : `${path} › ${key}`, before[key], after[key], lines)
    }
    return
  }
  if (isTexts(before) && isTexts(after)) {
    lines.push(
      ...before.filter(item => !after.includes(item)).map(item => `- ${path}: ${shown(item)}`),
    )
    lines.push(
      ...after.filter(item => !before.includes(item)).map(item => `+ ${path}: ${shown(item)}`),
    )
    return
  }
  if (before === undefined) lines.push(`+ ${path}: ${shown(after)}`)
  else if (after === undefined) lines.push(`- ${path}: ${shown(before)}`)
  else lines.push(`~ ${path}: ${shown(before)} → ${shown(after)}`)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
