/** The story on standard output: a heading per step, facts below it, a time at its end; and the JSON line for machines. */

export interface StepResult {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
}

export interface NodeReport {
  readonly name: string
  readonly apps: readonly {
    readonly id: string
    readonly version: string
    readonly state: string
    readonly httpStatus: number | null
  }[]
  readonly bytes: { readonly peer: number; readonly origin: number }
}

export interface DemoReport {
  readonly ok: boolean
  readonly mode: 'lab' | 'processes'
  readonly steps: readonly StepResult[]
  readonly nodes: readonly NodeReport[]
}

export interface Story {
  /** Runs one step and keeps its result; the first that fails ends the story. */
  step(name: string, run: (fact: (text: string) => void) => Promise<void>): Promise<void>
  readonly results: readonly StepResult[]
}

/** `write` gets whole lines of text for a person. */
export function createStory(write: (text: string) => void): Story {
  const results: StepResult[] = []
  return {
    results,
    async step(name, run) {
      write(`\n${results.length + 1}. ${name}\n`)
      const started = performance.now()
      const seconds = (): number => Math.round((performance.now() - started) / 100) / 10
      try {
        await run(text => write(`   ${text}\n`))
        results.push({ name, ok: true, seconds: seconds() })
        write(`   ✔ ${seconds().toFixed(1)} s\n`)
      } catch (error) {
        results.push({ name, ok: false, seconds: seconds() })
        write(`   ✘ ${error instanceof Error ? error.message : String(error)}\n`)
        throw error
      }
    },
  }
}
