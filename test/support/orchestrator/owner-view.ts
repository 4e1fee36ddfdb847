/** What an owner would complain about on the model machine: whatever is left over, missing, or not as they wanted it. */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AppStatus } from '../../../orchestrator/index.ts'
import type { AppRecord, Generation } from '../../../orchestrator/record.ts'
import type { ModelMachine } from './model-host.ts'

/** One sentence per complaint about app `id`; empty when all is well. */
export function complaints(
  machine: ModelMachine,
  id: string,
  status: AppStatus,
): readonly string[] {
  const record = readRecord(machine, id)
  const all = [...machine.violations]
  if (existsSync(join(machine.folder, 'state/hold', id))) all.push('the app is held')
  if (record?.operation !== undefined) all.push(`the ${record.operation.kind} never ended`)
  const committed = record?.committed
  if (record === undefined || committed === undefined || record.retained) {
    return [...all, ...leftovers(machine, id, []), ...unitFiles(machine, id)]
  }
  const kept = [committed, ...(record.previous === undefined ? [] : [record.previous])]
  return [
    ...all,
    ...leftovers(machine, id, kept),
    ...fileComplaints(machine, record, committed),
    ...runComplaints(machine, record, committed, status),
  ]
}

export function readRecord(machine: ModelMachine, id: string): AppRecord | undefined {
  const path = join(machine.folder, 'state/apps', `${id}.json`)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/** Of every file below a folder: path, kind and content. */
export function treeHash(folder: string): string {
  if (!existsSync(folder)) return 'none'
  const lines = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => {
      const path = join(folder, name)
      return `${name} ${lstatSync(path).isFile() ? readFileSync(path, 'hex') : 'folder'}`
    })
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

function leftovers(
  { storage }: ModelMachine,
  id: string,
  kept: readonly Generation[],
): readonly string[] {
  const images = new Set(kept.flatMap(each => each.images.map(({ name }) => name)))
  const text = kept.flatMap(each => each.quadlet.map(file => file.text)).join('\n')
  return [
    ...[...storage.images]
      .filter(([name]) => name.startsWith(`localhost/archy/${id}/`) && !images.has(name))
      .map(([name]) => `the image ${name} is left over`),
    ...[...images]
      .filter(name => storage.images.get(name)?.isDamaged !== false)
      .map(name => `the image ${name} is gone or damaged`),
    ...[...storage.secrets.keys()]
      .filter(name => name.startsWith(`app-${id}_`) && !text.includes(name))
      .map(name => `the secret ${name} is left over`),
    ...[...storage.networks]
      .filter(name => name.startsWith(`app-${id}`) && kept.length === 0)
      .map(name => `the network ${name} is left over`),
    ...[...storage.containers.values()]
      .filter(({ labels }) => labels['app.id'] === id && kept.length === 0)
      .map(({ name }) => `the container ${name} is left over`),
  ]
}

function unitFiles(machine: ModelMachine, id: string): readonly string[] {
  const mine = new RegExp(`^\\.?app-${id}[-_.]`)
  return ['home/quadlet', 'home/user', 'home/user/default.target.wants'].flatMap(place => {
    const folder = join(machine.folder, place)
    return existsSync(folder)
      ? readdirSync(folder)
          .filter(name => mine.test(name))
          .map(name => `${place}/${name} is left over`)
      : []
  })
}

function fileComplaints(
  machine: ModelMachine,
  { id, desired }: AppRecord,
  { quadlet, target }: Generation,
): readonly string[] {
  const wanted = [
    ...quadlet.map(({ name, text }) => ({ path: `home/quadlet/${name}`, text })),
    { path: `home/user/${target.name}`, text: target.text },
  ]
  const link = `home/user/default.target.wants/app-${id}.target`
  const isEnabled = lstatSync(join(machine.folder, link), { throwIfNoEntry: false }) !== undefined
  const expected = new Set([...wanted.map(({ path }) => path), ...(isEnabled ? [link] : [])])
  return [
    ...wanted
      .filter(({ path, text }) => readText(join(machine.folder, path)) !== text)
      .map(({ path }) => `${path} is not as recorded`),
    ...unitFiles(machine, id).filter(text => !expected.has(text.replace(' is left over', ''))),
    ...(isEnabled === (desired === 'running')
      ? []
      : [`enabled is ${isEnabled}, wanted ${desired}`]),
  ]
}

function runComplaints(
  { storage, manager }: ModelMachine,
  { id, desired }: AppRecord,
  { spec }: Generation,
  status: AppStatus,
): readonly string[] {
  const mine = [...storage.containers.values()].filter(({ labels }) => labels['app.id'] === id)
  const shown = `${status.state} (${status.health})`
  if (desired === 'stopped') {
    return [
      ...mine.map(({ name }) => `the container ${name} of a stopped app is there`),
      ...manager.busyUnits
        .filter(name => new RegExp(`^app-${id}[_.]`).test(name))
        // How somebody else ended it stays written there; nothing of it runs.
        .filter(name => manager.state(name).active !== 'failed')
        .map(name => `${name} of a stopped app is ${manager.state(name).active}`),
      ...(status.state === 'stopped' ? [] : [`a stopped app is shown as ${shown}`]),
    ]
  }
  return [
    ...(mine.length === spec.components.length ? [] : [`${mine.length} containers exist`]),
    ...mine.filter(each => each.status !== 'running').map(({ name }) => `${name} does not run`),
    ...(shown === 'running (healthy)' ? [] : [`a running app is shown as ${shown}`]),
  ]
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
