/** The machine's own Quadlet generator, as a dry run. */
import { access } from 'node:fs/promises'
import type { DryRun, Quadlet } from '../ports.ts'
import { run } from './run.ts'

/** Debian and Fedora; then Arch. */
const GENERATORS = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet'] as const

export function createQuadlet(): Quadlet {
  return {
    async dryRun(folder) {
      const generator = await findGenerator()
      if (generator === undefined) return undefined
      const result = await run([generator, '-dryrun', '-user'], {
        environment: { QUADLET_UNIT_DIRS: folder },
      })
      return parseDryRun(result.code, result.stdout, result.stderr)
    },
  }
}

async function findGenerator(): Promise<string | undefined> {
  for (const path of GENERATORS) {
    try {
      await access(path)
      return path
    } catch {
      // Not here; the next place may have it.
    }
  }
  return undefined
}

/** Standard error holds one harmless line for each file read; every other line is a complaint. */
export function parseDryRun(code: number, stdout: string, stderr: string): DryRun {
  const problems = stderr
    .split('\n')
    .filter(line => line.trim() !== '' && !/: Loading source unit file /.test(line))
    .map(line => line.replace(/^quadlet-generator\[\d+\]: /, ''))
  const parts = stdout.split(/^---(.+)---$/m)
  const services = new Map<string, string>()
  for (let index = 1; index < parts.length; index += 2) {
    services.set(parts[index] ?? '', parts[index + 1] ?? '')
  }
  if (code !== 0 && problems.length === 0) problems.push(`the generator ended with ${code}`)
  return { services, problems }
}
