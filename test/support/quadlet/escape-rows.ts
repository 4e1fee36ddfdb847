/**
 * Random values through the real generator: what a container gets is what the manifest says, character by character.
 * Method: our renderer writes them, Podman's generator makes commands of the units, and a reader written from systemd's manual
 * takes those apart.
 */
import fc from 'fast-check'
import type { AppManifest, Component } from '../../../catalog/index.ts'
import { quoteWord, WORDS_IN_VARIABLES } from '../../../orchestrator/units/escape.ts'
import { renderApp } from '../../../orchestrator/units/render.ts'
import { forRender, renderInput } from '../orchestrator/manifest.ts'
import { expandWord, splitWords } from '../orchestrator/podman-words.ts'
import type { Row } from '../report-rows.ts'
import type { RealGenerator } from './generator.ts'

export interface EscapeCounts {
  readonly values: number
  readonly commands: number
  readonly seed: number
}

const VALUES_PER_UNIT = 100
/** An empty word, a lone `;` and a lone variable are what readers on the way treat as no word. */
const ODD_WORDS = ['', ';', '\\;', '$X', '${X}', '%h', '--', '""', "''", '#', ' ', '-', '|', '&&']
const LONG_LENGTH = 30_000

const VARIABLES = Object.fromEntries([...WORDS_IN_VARIABLES].map(([text, name]) => [name, text]))

/** What some reader on the way gives a meaning, then any character that a manifest may hold. */
const character = fc.oneof(
  fc.constantFrom(...'%$"\'\\ #;{}=[]:,`|&<>*?~!-@'),
  fc.constantFrom('\u00a0', '\u2028', '\u3000', '\ufeff', '\u200b', '\u202e', 'é', '🔑', 'e\u0301'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter(isAllowed),
)

const word = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...ODD_WORDS) },
  { weight: 20, arbitrary: textOf(40) },
  { weight: 2, arbitrary: textOf(40).map(text => `  ${text}\u00a0 `) },
  { weight: 2, arbitrary: textOf(4000) },
)

function textOf(maxLength: number): fc.Arbitrary<string> {
  return fc.array(character, { maxLength, size: 'max' }).map(parts => parts.join(''))
}

function isAllowed(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text)
}

export async function escapeRows(
  generator: RealGenerator,
  counts: EscapeCounts,
): Promise<readonly Row[]> {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) =>
    fc.sample(arbitrary, { numRuns, seed: counts.seed })
  const long = ['%', '$', '"', '\\', '🔑', 'x'].map(each => each.repeat(LONG_LENGTH / each.length))
  const values = [...ODD_WORDS, ...long, ...sample(word, counts.values)].slice(0, counts.values)
  const argv = fc.array(word, { minLength: 1, maxLength: 8 })
  const commands = sample(argv, counts.commands)
  const found = {
    values: await environments(generator, values),
    commands: await throughCommand(generator, commands),
    entrypoints: await throughEntrypoint(generator, commands),
    checks: await throughHealth(generator, commands),
  }
  return [
    equalRow('escape.environment', 'random environment values', values, found.values),
    equalRow('escape.command', 'random commands', commands, found.commands),
    equalRow('escape.entrypoint', 'random entrypoints', commands, found.entrypoints),
    equalRow('escape.health', 'random health checks', commands, found.checks),
    refusedRow(),
  ]
}

function equalRow(
  id: string,
  what: string,
  wanted: readonly unknown[],
  found: readonly unknown[],
): Row {
  const wrong = wanted.findIndex((each, at) => JSON.stringify(each) !== JSON.stringify(found[at]))
  const count = wanted.filter(
    (each, at) => JSON.stringify(each) === JSON.stringify(found[at]),
  ).length
  const example = wrong < 0 ? '' : `, not ${JSON.stringify(wanted[wrong]).slice(0, 200)}`
  const must = `${wanted.length} ${what} through the real generator come out equal`
  return { id, must, measured: `${count} equal${example}`, ok: count === wanted.length }
}

/** Every value in the environment of one of many containers. */
async function environments(
  generator: RealGenerator,
  values: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const groups = Array.from({ length: Math.ceil(values.length / VALUES_PER_UNIT) }, (_, index) =>
    values.slice(index * VALUES_PER_UNIT, (index + 1) * VALUES_PER_UNIT),
  )
  const commands = await makeCommands(
    generator,
    groups.map(group => ({
      env: Object.fromEntries(group.map((text, n) => [`V${n}`, asTemplate(text)])),
    })),
  )
  return groups.flatMap((group, index) => {
    const argv = commands[index] ?? []
    const variables = new Map(
      argv.flatMap((each, at) => {
        const [, name, value] = /^(V\d+)=(.*)$/s.exec(each) ?? []
        return argv[at - 1] === '--env' && name !== undefined ? [[name, value] as const] : []
      }),
    )
    return group.map((_, n) => variables.get(`V${n}`))
  })
}

async function throughCommand(generator: RealGenerator, all: readonly (readonly string[])[]) {
  const commands = await makeCommands(
    generator,
    all.map(command => ({ command: [...command] })),
  )
  return commands.map(argv => argv.slice(argv.indexOf(IMAGE) + 1))
}

/** Podman reads the option as JSON. */
async function throughEntrypoint(generator: RealGenerator, all: readonly (readonly string[])[]) {
  const commands = await makeCommands(
    generator,
    all.map(each => ({ entrypoint: [...each] })),
  )
  return commands.map(argv => JSON.parse(argv[argv.indexOf('--entrypoint') + 1] ?? ''))
}

/** An argv of one word is a shell command for Podman, quoted for that shell. */
async function throughHealth(generator: RealGenerator, all: readonly (readonly string[])[]) {
  const base = forRender(MANIFEST).components.web?.health
  const commands = await makeCommands(
    generator,
    all.map(each => ({ health: { ...(base as NonNullable<typeof base>), exec: [...each] } })),
  )
  return commands.map(argv => {
    const text = argv[argv.indexOf('--health-cmd') + 1] ?? ''
    return text.startsWith('[') ? JSON.parse(text) : [text.slice(1, -1).replaceAll("'\\''", "'")]
  })
}

const EXEC_START = 'ExecStart='
const IMAGE = '1'.repeat(64)
const MANIFEST = `
apiVersion: archy.app/v1
id: tiny
version: "1"
title: Tiny
images: { a: { oci: a } }
components: { web: { image: a, health: { exec: [x] } } }
`

/** The command that systemd would run for each variant of a component. */
async function makeCommands(
  generator: RealGenerator,
  variants: readonly Partial<Component>[],
): Promise<readonly (readonly string[])[]> {
  const base = forRender(MANIFEST)
  const files = variants.map((variant, index) => {
    const web = { ...(base.components.web as Component), ...variant }
    const manifest: AppManifest = { ...base, components: { web } }
    const unit = renderApp(renderInput(manifest)).quadlet.find(({ name }) => name.includes('_web'))
    const text = (unit?.text ?? '').replace('Network=app-tiny.network', 'Network=app-tiny')
    return { name: `t${index}.container`, text }
  })
  const { services } = await generator.run(files)
  return files.map((_, index) => {
    const lines = (services.get(`t${index}.service`) ?? '').split('\n')
    const command = lines.find(line => line.startsWith(EXEC_START))?.slice(EXEC_START.length) ?? ''
    return splitWords(command).map(each =>
      each.startsWith('%t') || /=%t\//.test(each) ? each : expandWord(each, VARIABLES),
    )
  })
}

function asTemplate(text: string): string {
  return text.replaceAll('${', () => '$${')
}

/** Characters that no unit file can carry. */
function refusedRow(): Row {
  const bad = [
    'a\nExec=evil',
    '\r',
    '\0',
    '\t',
    '\x7f',
    '\x85',
    '\ufdd0',
    '\uffff',
    '\u{1fffe}',
    '\ud800',
  ]
  const refused = bad.filter(text => {
    try {
      quoteWord(text)
      return false
    } catch {
      return true
    }
  })
  return {
    id: 'escape.refused',
    must: `${bad.length} values with line breaks, control characters and code points that are no characters are refused`,
    measured: `${refused.length} refused`,
    ok: refused.length === bad.length,
  }
}
