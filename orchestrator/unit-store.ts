/** The unit files of apps in the folders that systemd and Quadlet read. Plain files; nobody is told to reload here. */

import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../src/core/errors.ts'
import { namesIn, syncFolder, writeFileAtomic } from '../src/core/files.ts'
import type { Context, OrchestratorOptions } from './context.ts'
import { isQuadletFileOf, targetUnit } from './names.ts'
import type { Generation } from './record.ts'

const UNIT_BYTES_MAX = 4 * 2 ** 20

/** Replaces the app's unit files by those of `generation`. Doing it again changes nothing. */
export async function installUnits(
  options: OrchestratorOptions,
  { spec, quadlet, target }: Generation,
): Promise<void> {
  for (const { name, text } of quadlet) await writeFileAtomic(join(options.unitFolder, name), text)
  await writeFileAtomic(join(options.userUnitFolder, target.name), target.text)
  const wanted = new Set(quadlet.map(({ name }) => name))
  for (const name of await quadletFiles(options, spec.id)) {
    if (!wanted.has(name)) await rm(join(options.unitFolder, name), { force: true })
  }
  await syncFolder(options.unitFolder)
}

export async function removeUnits(options: OrchestratorOptions, id: string): Promise<void> {
  await disableTarget(options, id)
  for (const name of await quadletFiles(options, id)) {
    await rm(join(options.unitFolder, name), { force: true })
  }
  await rm(join(options.userUnitFolder, targetUnit(id)), { force: true })
  await syncFolder(options.unitFolder)
  await syncFolder(options.userUnitFolder)
}

/** True when a file of the generation is missing or was changed by somebody else. */
export async function unitsDiffer(
  { options, files: memory }: Context,
  { quadlet, target }: Generation,
): Promise<boolean> {
  const files = [
    ...quadlet.map(({ name, text }) => ({ path: join(options.unitFolder, name), text })),
    { path: join(options.userUnitFolder, target.name), text: target.text },
  ]
  for (const { path, text } of files) {
    if ((await memory.read(path, UNIT_BYTES_MAX, textOf)) !== text) return true
  }
  return false
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** From the next boot on the user manager starts the app by itself. Effective now, without a reload. */
export async function enableTarget(options: OrchestratorOptions, id: string): Promise<void> {
  const folder = wantsFolder(options)
  await mkdir(folder, { recursive: true })
  try {
    await symlink(join('..', targetUnit(id)), join(folder, targetUnit(id)))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  await syncFolder(folder)
}

export async function disableTarget(options: OrchestratorOptions, id: string): Promise<void> {
  const folder = wantsFolder(options)
  await mkdir(folder, { recursive: true })
  await rm(join(folder, targetUnit(id)), { force: true })
  await syncFolder(folder)
}

/** Targets that the next boot starts. */
export async function enabledTargets(options: OrchestratorOptions): Promise<ReadonlySet<string>> {
  return new Set(await namesIn(wantsFolder(options)))
}

/** Folders beside our units in which others may change them. */
export async function dropInFolders(options: OrchestratorOptions): Promise<readonly string[]> {
  const places = [options.unitFolder, options.userUnitFolder]
  const names = await Promise.all(places.map(namesIn))
  return names.flat().filter(name => name.endsWith('.d'))
}

function wantsFolder(options: OrchestratorOptions): string {
  return join(options.userUnitFolder, 'default.target.wants')
}

async function quadletFiles(options: OrchestratorOptions, id: string): Promise<readonly string[]> {
  const names = await readdir(options.unitFolder)
  return names.filter(name => isQuadletFileOf(id, name))
}
