/** What every command that proves something prints: one row per claim, for people or as one JSON object on the last line. */

export interface Row {
  readonly id: string
  /** The claim, with its bound. */
  readonly must: string
  /** What was seen, with its unit. */
  readonly measured: string
  readonly ok: boolean
}

/** Pure: the last thing the command prints. A run without rows proved nothing, so it is not ok. */
export function formatRows(rows: readonly Row[], isJson: boolean): string {
  const ok = isOk(rows)
  if (isJson) return JSON.stringify({ ok, rows })
  const lines = rows.map(
    row => `${row.ok ? 'ok  ' : 'FAIL'}  ${row.id}: ${row.measured}  (must: ${row.must})`,
  )
  return [...lines, ok ? 'all hold' : 'NOT all hold'].join('\n')
}

export function isOk(rows: readonly Row[]): boolean {
  return rows.length > 0 && rows.every(row => row.ok)
}

/** Prints the rows and sets the exit code; `--json` among the arguments asks for JSON. */
export function reportRows(rows: readonly Row[], args: readonly string[] = process.argv): void {
  process.stdout.write(`${formatRows(rows, args.includes('--json'))}\n`)
  process.exitCode = isOk(rows) ? 0 : 1
}
