/** What a command may touch of the terminal; `main.ts` makes the real one, tests make their own. */
export interface CommandIo {
  /** Writes text as it is; the caller adds the line break. */
  stdout(text: string): void
  stderr(text: string): void
  /** True when a person watches standard error: progress may redraw its line. */
  readonly isTty: boolean
  /** Asks a person and does not show what is typed; absent when nobody is there. */
  readonly askSecret?: (question: string) => Promise<string>
  /** Where the environment says that the passphrase is. */
  readonly passphraseFile?: string | undefined
}
