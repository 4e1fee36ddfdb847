/** Health, dependencies, interfaces and hooks of the reference platform's manifests. Pure. */
import semver from 'semver'
import type { Member } from '../reference-platform.ts'
import { durationText, isMapping, labelOf, listOf, type Mapping, portIn, textAt } from './values.ts'

/** Its checks are asked at a port of the container or of the machine; ours at one of the machine. */
export function healthCheck(value: unknown, { component, tell }: Member): void {
  if (!isMapping(value)) {
    tell('decide', 'is no check; write health')
    return
  }
  const probe = probeOf(value, component.ports)
  if (probe === undefined) {
    tell('decide', 'asks a port that is not published; publish it, or write health.exec')
    return
  }
  const interval = durationText(value.interval)
  const timeout = durationText(value.timeout)
  const startBudget = durationText(value.start_period)
  const failures = Number(value.retries)
  component.health = {
    ...probe,
    ...(interval && { interval }),
    ...(timeout && { timeout }),
    ...(Number.isInteger(failures) && failures > 0 && { failures }),
    ...(startBudget && { startBudget }),
  }
  tell('mapped', 'health: readiness; it restarts nothing. Add live where a restart would help')
}

function probeOf(value: Mapping, ports: Member['component']['ports']): object | undefined {
  if (value.type === 'cmd' || value.type === 'exec') {
    const command = value.command ?? value.cmd ?? value.exec ?? value.endpoint
    return { exec: Array.isArray(command) ? command.map(String) : ['sh', '-c', String(command)] }
  }
  const asked = portIn(value.port ?? value.endpoint ?? '')
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp')
  const found =
    tcp.find(({ host }) => host === asked) ?? tcp.find(({ container }) => container === asked)
  const port = (found ?? (asked === undefined ? tcp[0] : undefined))?.host
  if (port === undefined) return undefined
  if (value.type === 'tcp') return { tcp: { port } }
  const inUrl = /^\w+:\/\/[^/]+(\/.*)$/.exec(String(value.endpoint ?? ''))?.[1]
  return { http: { port, path: textAt(value, 'path') ?? inUrl ?? '/' } }
}

export function dependencies(value: unknown, member: Member): void {
  for (const each of listOf(value)) {
    const storage = textAt(each, 'storage')
    const app = typeof each === 'string' ? each : textAt(each, 'app_id', 'id')
    if (storage !== undefined)
      member.tell('dropped', `storage ${storage}: say it in the description`)
    else if (app !== undefined) dependency(app, textAt(each, 'version'), member)
  }
}

function dependency(app: string, version: string | undefined, member: Member): void {
  const { draft, component, members, tell } = member
  const sibling = members.get(app)
  if (sibling !== undefined) {
    component.dependsOn[sibling] = {}
    tell('mapped', `dependsOn.${sibling}: healthy if it is asked inside, else started`)
    return
  }
  const alias = labelOf(app)
  const isRange = version !== undefined && semver.validRange(version) !== null
  draft.needs[alias] = { app: alias, export: 'api', ...(isRange && { versions: version }) }
  if (version !== undefined && !isRange) tell('decide', `${version} is no range of versions`)
  tell(
    'decide',
    `needs.${alias}: name an entry of what ${app} provides in place of api, and use its values in env`,
  )
}

export function interfaces(value: unknown, member: Member): void {
  const { component, draft, name, tell } = member
  for (const [id, each] of Object.entries(isMapping(value) ? value : {})) {
    const asked = portIn(textAt(each, 'port', 'url', 'host_port') ?? '')
    const found =
      component.ports.find(({ host }) => host === asked) ??
      component.ports.find(({ container }) => container === asked) ??
      component.ports.find(({ protocol }) => protocol === 'tcp')
    if (found === undefined) {
      tell('decide', `interfaces.${id}: no published port leads there`)
      continue
    }
    const title = textAt(each, 'name', 'title') ?? draft.title
    const protocol = textAt(each, 'protocol') === 'https' ? 'https' : 'http'
    const path = textAt(each, 'path') ?? '/'
    draft.interfaces.push({
      id: labelOf(id),
      title,
      component: name,
      port: found.host,
      protocol,
      path,
    })
    const isExact = found.host === asked || found.container === asked
    tell(
      isExact ? 'mapped' : 'approximated',
      `interfaces: ${labelOf(id)} at host port ${found.host}`,
    )
  }
}

/** They ran at every fresh install and recreation, inside the container, and a failure was only a warning. */
export function postInstall(value: unknown, { draft, name, tell }: Member): void {
  for (const each of listOf(value)) {
    const step: Mapping = isMapping(each) ? each : {}
    if (step.exec !== undefined) {
      const exec = { component: name, argv: listOf(step.exec).map(String) }
      draft.hooks.postStart = [
        ...(draft.hooks.postStart ?? []),
        { exec, runs: 'always', onError: 'warn' },
      ]
      tell(
        'approximated',
        `exec in hooks.postStart, at every start, because containers are made anew: ${exec.argv[0] ?? ''}`,
      )
    } else if (isMapping(step.copy_from_host)) {
      const { src, dest } = step.copy_from_host
      tell(
        'decide',
        `${String(src)} is a file of the machine: put it into the image, or its text into files with path ${String(dest)}`,
      )
    } else tell('decide', `${JSON.stringify(each).slice(0, 80)} is no known step`)
  }
}

export function preStart(_value: unknown, { tell }: Member): void {
  tell('decide', 'no container runs before the start: make a component with role: job of it')
}
