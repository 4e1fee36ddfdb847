/** What app ids, labels and versions are made of: for the schemas of manifests, and for what reads 10,000 names at once. */

export const APP_ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
export const APP_ID_LENGTH_MIN = 2
export const APP_ID_LENGTH_MAX = 40
/** Quadlet derives service names with these endings; an app with such a name would collide. */
export const RESERVED_ENDINGS: readonly string[] = ['-infra', '-volume', '-network', '-pod']

/** Written so that it never goes back in the text. */
export const LABEL = /^[a-z][a-z0-9-]{0,31}(?<!-)$/

export const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+_-]*$/
export const VERSION_LENGTH_MAX = 64

export function isAppId(text: string): boolean {
  const isShort = text.length < APP_ID_LENGTH_MIN
  return !isShort && text.length <= APP_ID_LENGTH_MAX && APP_ID.test(text) && !isReserved(text)
}

export function isReserved(appId: string): boolean {
  return RESERVED_ENDINGS.some(ending => appId.endsWith(ending))
}

/** A DNS label. */
export function isLabel(text: string): boolean {
  return LABEL.test(text)
}

export function isVersion(text: string): boolean {
  return text.length <= VERSION_LENGTH_MAX && VERSION.test(text) && /\d/.test(text)
}

/** What keeps a text from being the id of an app, or nothing. */
export function appIdProblem(text: string): string | undefined {
  if (isAppId(text)) return undefined
  return isReserved(text)
    ? `must not end in ${RESERVED_ENDINGS.join(', ')}`
    : `must be ${APP_ID_LENGTH_MIN} to ${APP_ID_LENGTH_MAX} characters: lower-case words joined by single dashes`
}
