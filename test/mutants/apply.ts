/** A mutant: one small change that a test must notice; and how it is put into the text of its file. */

export interface Mutant {
  /** From the project's folder. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly from: string
  readonly to: string
  /** What the original holds against. */
  readonly why: string
  /** Set when no test can tell the mutant from the original: the reason. */
  readonly equivalent?: string
}

/** @throws TypeError when the file does not have the text exactly once: the mutant is to be brought up to date */
export function applyMutant({ file, from, to }: Mutant, text: string): string {
  const count = text.split(from).length - 1
  if (count !== 1)
    throw new TypeError(`${file} has ${JSON.stringify(from)} ${count} times, not once`)
  return text.replace(from, () => to)
}
