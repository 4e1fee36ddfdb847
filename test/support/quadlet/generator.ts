/** The real generator of Podman, from the lab's Debian tree, which stays as it is. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDryRun } from '../../../orchestrator/host/quadlet.ts'
import type { DryRun } from '../../../orchestrator/ports.ts'
import type { QuadletInput } from '../../../orchestrator/units/predict.ts'
import { baseKey, CONTAINED } from '../lab/base.ts'
import { BASE_SPEC } from '../lab/base-spec.ts'
import { labCacheFolder } from '../lab/paths.ts'

export interface RealGenerator {
  /** Such as `5.4.2`. */
  readonly version: string
  /** The folder as the generator sees it. */
  readonly folder: string
  /** Whether a device exists where the generator runs. */
  hasDevice(path: string): boolean
  run(files: readonly QuadletInput[]): Promise<DryRun>
}

const PROGRAM = '/usr/libexec/podman/quadlet'
const FOLDER = '/mnt'
/** Ten thousand values of some kilobytes, twice: once as they were, once as a command. */
const OUTPUT_BYTES_MAX = 256 * 2 ** 20
/** In namespaces of its own: the tree is read-only for whatever runs in it, and the mounts end with the program. */
const SCRIPT = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1${FOLDER}" && QUADLET_UNIT_DIRS=${FOLDER} exec chroot "$1" ${PROGRAM} -user "$3"`

/** `undefined` after printing one line when this machine can run none. */
export function findGenerator(): RealGenerator | undefined {
  const base = join(labCacheFolder(), `base-${baseKey(BASE_SPEC, arch())}`)
  if (!existsSync(join(base, PROGRAM)) || process.getuid?.() !== 0) {
    console.log(`left out: needs root and the lab's Debian tree (npm run lab -- base)`)
    return undefined
  }
  const [program = '', ...contained] = CONTAINED
  const call = (folder: string, flag: string) => {
    const args = [...contained, 'sh', '-c', SCRIPT, 'sh', base, folder, flag]
    const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX })
    if (result.error !== undefined) throw result.error
    return result
  }
  return {
    version: call(tmpdir(), '-version').stdout.trim(),
    folder: FOLDER,
    hasDevice: path => existsSync(path),
    async run(files) {
      const folder = await mkdtemp(join(tmpdir(), 'archy-quadlet-'))
      try {
        for (const { name, text, dropIns = [] } of files) {
          await writeFile(join(folder, name), text)
          if (dropIns.length > 0) await mkdir(join(folder, `${name}.d`))
          for (const [index, dropIn] of dropIns.entries()) {
            await writeFile(join(folder, `${name}.d`, `${index}.conf`), dropIn)
          }
        }
        const { status, stdout, stderr } = call(folder, '-dryrun')
        return parseDryRun(status ?? 1, stdout, stderr)
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  }
}
