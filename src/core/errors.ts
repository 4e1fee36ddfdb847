/** The base of every error this program throws on purpose; branch on `code`, never on `message`. */
export class NodeError<Code extends string = string> extends Error {
  readonly code: Code
  /** Every single problem, when one operation found several (parsers, preflight checks). */
  readonly problems: readonly string[]

  constructor(
    code: Code,
    message: string,
    options?: ErrorOptions & { problems?: readonly string[] },
  ) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.problems = options?.problems ?? []
  }
}

/** The message of anything that was thrown, for logs and for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of anything that was thrown: ours, or Node's (`ENOENT`); `undefined` when it has none. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
