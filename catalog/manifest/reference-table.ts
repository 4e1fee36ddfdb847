/** Reads the tables of docs/manifest.md: every key with its default and what it means. Pure. */

export interface DocumentedKey {
  /** As in `keyForms`. */
  readonly path: string
  readonly form: string
  /** `required`, `–` for none, or the default as JSON. */
  readonly fallback: string
  readonly meaning: string
}

/** A table belongs to the keys that the nearest line such as "Below `components.<name>`:" before it names. */
const BELOW = /^Below `([^`]+)`/
const HEAD = /^\| key +\|/
const ROW = /^\| `([^`]+)` +\| ([^|]+?) +\| ([^|]+?) +\| (.+?) +\|$/

export function documentedKeys(document: string): readonly DocumentedKey[] {
  let below = ''
  let isOfKeys = false
  return document.split('\n').flatMap(line => {
    if (line.startsWith('#')) below = ''
    below = BELOW.exec(line)?.[1] ?? below
    if (!line.startsWith('|')) isOfKeys = false
    if (HEAD.test(line)) isOfKeys = true
    if (!isOfKeys) return []
    const [, key, form, fallback, meaning] = ROW.exec(line) ?? []
    if (key === undefined || form === undefined || fallback === undefined || !meaning) return []
    return [{ path: below === '' ? key : `${below}.${key}`, form, fallback, meaning }]
  })
}
