/** `archy app convert`: a manifest of the reference platform, in our form; what became of each key is told beside it. */
import { Command } from 'commander'
import { type Conversion, convertManifests } from '../../catalog/publish/index.ts'
import type { CommandIo } from './io.ts'

interface ConvertContext {
  readonly io: CommandIo
  /** Makes the exit code 1. */
  readonly fail: () => void
}

const HEADS: Readonly<Record<keyof Conversion['report'], string>> = {
  mapped: 'Translated:',
  approximated: 'Translated roughly; read what differs:',
  dropped: 'Left out:',
  decide: 'For you to decide:',
}

const HELP = `
The manifest goes to standard output, the report to standard error.
Exit codes: 0 what came out is a right manifest; 1 it breaks a rule, or the file cannot be translated;
2 the command line was wrong.`

export function convertCommand({ io, fail }: ConvertContext): Command {
  return new Command('convert')
    .argument(
      '<file...>',
      'manifests of the reference platform; several are one app of several containers',
    )
    .description('translate manifests that have everything below "app"')
    .option('--json', 'print one object: manifest, report, problems', false)
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], { json }: { json: boolean }) => {
      const conversion = await convertManifests(files)
      const ok = conversion.problems.length === 0
      if (json) io.stdout(`${JSON.stringify({ ok, ...conversion })}\n`)
      else {
        io.stdout(conversion.manifest)
        io.stderr(reportText(conversion))
      }
      if (!ok) fail()
    })
}

export function reportText({ report, problems }: Conversion): string {
  const parts = Object.entries(HEADS).map(([what, head]) => {
    const notes = report[what as keyof Conversion['report']]
    return { head, lines: notes.map(({ from, note }) => `${from}: ${note}`) }
  })
  return [...parts, { head: 'Still wrong:', lines: problems }]
    .filter(({ lines }) => lines.length > 0)
    .map(({ head, lines }) => `${head}\n${lines.map(line => `  ${line}\n`).join('')}`)
    .join('')
}
