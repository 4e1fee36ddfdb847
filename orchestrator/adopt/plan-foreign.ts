/** Plans to claim containers that somebody else made. */
import { appDataFolder, type Context } from '../context.ts'
import { targetUnit } from '../names.ts'
import { emptyRecord, type Generation } from '../record.ts'
import { appSpec } from '../spec.ts'
import { updateTerms } from '../update-terms.ts'
import { type Adopted, type AdoptedContainer, adoptionFindings } from './adopted.ts'
import { bareUnit } from './bare.ts'
import { pinProblems, SECRET_BYTES_MAX } from './keep.ts'
import { type Known, learnSecrets } from './learn-secrets.ts'
import { type Match, matchContainers } from './match.ts'
import { type AdoptTerms, type Described, type Plan, refused } from './plan.ts'

/** @throws OrchestratorError `ADOPTION_REFUSED` with every reason */
export async function planForeign(
  context: Context,
  release: Described,
  { named }: AdoptTerms,
): Promise<Plan> {
  const { deps, options } = context
  const { manifest, entry, platform } = release
  const { id } = manifest
  const dataFolder = appDataFolder(options, id)
  const containers = await deps.podman.inspectAll()
  const found = matchContainers({ manifest, platform, containers, dataFolder, named })
  if (found.refusals.length > 0) throw refused(id, found.refusals)
  const learned = learnSecrets(manifest, await knownFromContainers(context, release, found.matches))
  const problems = [...learned.problems, ...(await pinProblems(dataFolder, found.pins))]
  if (problems.length > 0) throw refused(id, problems)
  const adopted: Adopted = {
    sinceMs: deps.clock.nowMs(),
    containers: await Promise.all(found.matches.map(match => adoptedContainer(context, match))),
    pins: [...found.pins],
    drift: [...found.drift],
  }
  const isRunning = found.matches.some(({ container }) => container.status === 'running')
  const desired = isRunning ? 'running' : 'stopped'
  return {
    record: {
      ...emptyRecord(id, manifest.title),
      ...{ desired, adopted, committed: asObserved(release, found.matches) },
    },
    secrets: learned.values,
    pins: found.pins,
    report: {
      ...{ app: id, version: entry.version, kind: 'foreign', desired, pins: found.pins },
      containers: adopted.containers.map(({ component, name, unit }) => ({
        component,
        name,
        unit,
      })),
      secrets: [...learned.values.keys()],
      findings: adoptionFindings(id, adopted),
    },
  }
}

async function adoptedContainer(
  { deps }: Context,
  { component, container, unit }: Match,
): Promise<AdoptedContainer> {
  const { name, id, restartPolicy, doesRemoveItself } = container
  const unitFile = unit === undefined ? undefined : await deps.systemd.unitFile(unit)
  return {
    ...{ component, name, id, restartPolicy, doesRemoveItself },
    ...(unit === undefined ? {} : { unit }),
    ...(unitFile === undefined ? {} : { unitFile }),
  }
}

/** Generation 0: what runs, under the names that it has. It has no unit files, so nothing of it is ever rewritten. */
function asObserved({ manifest, entry }: Described, matches: readonly Match[]): Generation {
  const spec = appSpec(manifest)
  const byComponent = new Map(matches.map(match => [match.component, match]))
  return {
    number: 0,
    publisher: entry.publisher,
    channel: entry.channel,
    seq: entry.seq,
    manifest: entry.manifest.blake3,
    spec: {
      ...spec,
      networks: [],
      components: spec.components.flatMap(component => {
        const match = byComponent.get(component.name)
        if (match === undefined) return []
        const { name } = match.container
        return [{ ...component, container: name, unit: match.unit ?? bareUnit(name) }]
      }),
    },
    images: matches.map(({ component, container }) => ({
      ...{ component, name: container.imageName, id: container.imageId, manifestDigest: '' },
    })),
    quadlet: [],
    target: { name: targetUnit(manifest.id), text: '' },
    terms: updateTerms(manifest),
  }
}

async function knownFromContainers(
  { deps }: Context,
  { manifest }: Described,
  matches: readonly Match[],
): Promise<Known> {
  const env = new Map<string, ReadonlyMap<string, string>>()
  const files = new Map<string, string>()
  for (const { component, container } of matches) {
    const isRunning = container.status === 'running' && container.pid > 0
    // What the process was given also has what "podman inspect" hides.
    const given = isRunning
      ? await deps.podman.processEnvironment(container.pid)
      : new Map(Object.entries(container.env).filter(([, value]) => !/^\*+$/.test(value)))
    env.set(component, given)
    for (const { path } of manifest.components[component]?.secretFiles ?? []) {
      const bytes = await deps.podman.readInside(container.name, path, SECRET_BYTES_MAX)
      if (bytes !== undefined)
        files.set(`${component} ${path}`, Buffer.from(bytes).toString('utf8'))
    }
  }
  return { env, files }
}
