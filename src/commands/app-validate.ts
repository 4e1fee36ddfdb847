/** `archy app validate`: is this manifest right, on any machine, with or without a running node. */
import { Command, Option } from 'commander'
import { type Review, reviewApp } from '../../catalog/publish/index.ts'
import { formatProblem } from '../core/schema.ts'
import type { CommandIo } from './io.ts'

export interface ValidateContext {
  readonly io: CommandIo
  /** Makes the exit code 1. */
  readonly fail: () => void
}

const FORMATS = ['text', 'json', 'github'] as const
type Format = (typeof FORMATS)[number]

const HELP = `
Exit codes: 0 every manifest is right (advice does not count); 1 a manifest is wrong, or cannot be read;
2 the command line was wrong.`

export function validateCommand(context: ValidateContext): Command {
  return new Command('validate')
    .argument('<path...>', 'app folders, or manifests alone')
    .description('check manifests against every rule, and their images where they are there')
    .addOption(
      new Option('--format <format>', 'text; one JSON object; or annotations of GitHub Actions')
        .choices(FORMATS)
        .default('text'),
    )
    .option('--json', 'the same as --format json', false)
    .addHelpText('after', HELP)
    .action(async (paths: readonly string[], options: { format: Format; json: boolean }) => {
      const reviews: Review[] = []
      for (const path of paths) reviews.push(await reviewApp(path))
      context.io.stdout(`${WRITERS[options.json ? 'json' : options.format](reviews)}\n`)
      if (reviews.some(({ problems }) => problems.length > 0)) context.fail()
    })
}

const WRITERS: Readonly<Record<Format, (reviews: readonly Review[]) => string>> = {
  text: reviews => reviews.flatMap(reviewText).join('\n'),
  json: reviewsJson,
  github: reviews => reviews.flatMap(annotations).join('\n'),
}

function reviewText({ file, problems, advice }: Review): readonly string[] {
  const [wrong, notes] = [problems.length, advice.length]
  const verdict = wrong === 0 ? 'is right' : `has ${wrong} problem${wrong === 1 ? '' : 's'}`
  const aside = notes === 0 ? '' : `; ${notes} piece${notes === 1 ? '' : 's'} of advice`
  return [
    ...problems.map(problem => `${formatProblem(file, problem)} [${problem.rule}]`),
    ...advice.map(each => `${formatProblem(file, each)} [advice]`),
    `${file} ${verdict}${aside}`,
  ]
}

function reviewsJson(reviews: readonly Review[]): string {
  const rows = reviews.map(({ file, problems }) => {
    const measured = problems.length === 0 ? 'none' : problems.map(p => p.rule).join(', ')
    return { id: file, must: 'no broken rule', measured, ok: problems.length === 0 }
  })
  const told = reviews.flatMap(({ file, problems, advice }) => [
    ...problems.map(problem => ({ kind: 'problem', file, ...problem })),
    ...advice.map(each => ({ kind: 'advice', file, ...each })),
  ])
  return JSON.stringify({
    ok: rows.every(({ ok }) => ok),
    rows,
    problems: told.map(({ position, ...rest }) => ({ ...rest, ...position })),
  })
}

/** @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
function annotations({ file, problems, advice }: Review): readonly string[] {
  const command = (
    level: 'error' | 'notice',
    title: string,
    { path, message, position }: Review['advice'][number],
  ): string => {
    const place = position === undefined ? '' : `,line=${position.line},col=${position.column}`
    const text = path === '' ? message : `${path}: ${message}`
    return `::${level} file=${property(file)}${place},title=${property(title)}::${data(text)}`
  }
  return [
    ...problems.map(problem => command('error', problem.rule, problem)),
    ...advice.map(each => command('notice', 'advice', each)),
  ]
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
