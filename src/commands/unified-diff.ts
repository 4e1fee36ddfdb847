/** The difference of two texts as `diff -u` shows it. Pure. */

/** Lines around a change that show where it is. */
const CONTEXT = 3

type Line = readonly [sign: ' ' | '-' | '+', text: string]

/** Empty for equal texts; `undefined` stands for a file that is not there. */
export function unifiedDiff(
  name: string,
  before: string | undefined,
  after: string | undefined,
): string {
  if (before === after) return ''
  const lines = compareLines(linesOf(before), linesOf(after))
  const head = [
    `--- ${before === undefined ? '/dev/null' : `a/${name}`}`,
    `+++ ${after === undefined ? '/dev/null' : `b/${name}`}`,
  ]
  return `${[...head, ...hunks(lines)].join('\n')}\n`
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

/** The longest common subsequence, by the table of lengths of all pairs of ends; unit files have some hundred lines. */
function compareLines(a: readonly string[], b: readonly string[]): readonly Line[] {
  const lengths = a.map(() => new Uint32Array(b.length + 1))
  lengths.push(new Uint32Array(b.length + 1))
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] as Uint32Array
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      lines.push([' ', a[i] as string])
      i += 1
      j += 1
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(['-', a[i] as string])
      i += 1
    } else {
      lines.push(['+', b[j] as string])
      j += 1
    }
  }
  return lines
}

function hunks(lines: readonly Line[]): readonly string[] {
  const isShown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([sign]) => sign !== ' '),
  )
  const shown: string[] = []
  let [oldLine, newLine] = [1, 1]
  for (let index = 0; index < lines.length; index += 1) {
    if (!isShown[index]) {
      oldLine += 1
      newLine += 1
      continue
    }
    const end = isShown.indexOf(false, index)
    const hunk = lines.slice(index, end < 0 ? lines.length : end)
    const oldCount = hunk.filter(([sign]) => sign !== '+').length
    const newCount = hunk.filter(([sign]) => sign !== '-').length
    shown.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`)
    shown.push(...hunk.map(([sign, text]) => `${sign}${text}`))
    oldLine += oldCount
    newLine += newCount
    index += hunk.length - 1
  }
  return shown
}

/** Of nothing, the line before it is named. */
function range(start: number, count: number): string {
  return count === 0 ? `${start - 1},0` : `${start},${count}`
}
