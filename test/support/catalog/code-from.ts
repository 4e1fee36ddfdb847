/** What a call refuses with: the code, or the text of an error without one; `undefined` when it succeeds. */
import { codeOf } from '../../../src/core/errors.ts'

export function codeFrom(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}
