/** Small shapes that several parts of the manifest's schema use. */
import { z } from 'zod'
import { line, textWanted } from './values.ts'

export const integer = (min: number, max: number) => z.int().min(min).max(max)
export const argv = z.array(line(8192)).min(1).max(256)
/** Ids 0 to 65535 are what a subordinate id range of the usual 65536 can map. */
const containerUserId = integer(0, 65_535)
/** As the container sees them. */
export const containerUser = z.strictObject({ uid: containerUserId, gid: containerUserId })
/** Four octal digits, in quotes: YAML reads a bare `0750` as a number. */
export const fileMode = z
  .string({ error: textWanted })
  .regex(/^0[0-7]{3}$/, 'must be four octal digits in quotes, such as "0750"')
