/** What a check is: facts in, a verdict out. Every finding brings the exact thing that ends it. Pure. */
import { type Facts, type Readings, Unread } from './facts.ts'

/** One act of a cure, in words a shell understands and data a program does. */
export type Step =
  | { readonly kind: 'run'; readonly argv: readonly string[] }
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'folder'; readonly path: string }

export interface Remedy {
  /** `root`: printed, never run by the doctor. */
  readonly by: 'owner' | 'root'
  /** Nothing that runs is disturbed and nothing is lost: `--fix` may do it unasked. */
  readonly isSafe: boolean
  readonly steps: readonly Step[]
  /** What no command says, such as "then log out and in again". */
  readonly note?: string
}

export interface Diagnosis {
  readonly code: string
  readonly severity: 'info' | 'warning' | 'error'
  readonly text: string
  readonly evidence: readonly string[]
  readonly fix: Remedy
}

export interface Verdict {
  /** What was seen, for people. */
  readonly measured: string
  readonly findings: readonly Diagnosis[]
}

export interface Result extends Verdict {
  readonly id: string
  readonly must: string
}

export interface Check {
  readonly id: string
  readonly must: string
  run(readings: Readings): Result
}

/** A fact that could not be read is a finding too: silence would look like health. */
export function defineCheck<K extends keyof Facts>(check: {
  readonly id: string
  readonly must: string
  readonly reads: readonly K[]
  readonly judge: (facts: Pick<Facts, K>) => Verdict
}): Check {
  const { id, must, reads, judge } = check
  return {
    id,
    must,
    run(readings) {
      const unread = reads.flatMap(name => {
        const fact = readings[name]
        return fact instanceof Unread ? [`${name}: ${fact.reason}`] : []
      })
      if (unread.length === 0) return { id, must, ...judge(readings as Pick<Facts, K>) }
      return {
        id,
        must,
        measured: 'could not be read',
        findings: [
          {
            code: `${id}.unread`,
            severity: 'error',
            text: `this could not be checked: ${must}`,
            evidence: unread,
            fix: advice('run "archy doctor" as the user who owns the apps'),
          },
        ],
      }
    },
  }
}

/** Commands for root, to be typed by a person. */
export function asRoot(...commands: readonly (readonly string[])[]): Remedy {
  return { by: 'root', isSafe: false, steps: commands.map(argv => ({ kind: 'run', argv })) }
}

/** Commands of the owner that the doctor leaves to the owner. */
export function asOwner(...commands: readonly (readonly string[])[]): Remedy {
  return { by: 'owner', isSafe: false, steps: commands.map(argv => ({ kind: 'run', argv })) }
}

export function advice(note: string): Remedy {
  return { by: 'owner', isSafe: false, steps: [], note }
}

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/

/** As it can be pasted into a shell. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'run':
      return step.argv.map(shellWord).join(' ')
    case 'folder':
      return `mkdir -p ${shellWord(step.path)}`
    case 'write':
      return `write ${step.path}:\n${step.text.replace(/^/gm, '    ').trimEnd()}`
  }
}

function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** The whole cure as text. */
export function remedyText({ by, steps, note }: Remedy): string {
  const prefix = by === 'root' ? 'as root: ' : ''
  const lines = steps.map(step => `${prefix}${stepText(step)}`)
  return [...lines, ...(note === undefined ? [] : [note])].join('\n')
}
