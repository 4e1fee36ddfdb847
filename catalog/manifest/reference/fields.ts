/** What each key of a manifest of the reference platform becomes, in the order in which they are translated. Pure. */
import { CAPABILITIES } from '../component-schema.ts'
import type { Member } from '../reference-platform.ts'
import { derivedEnv, environment, generatedCerts, generatedSecrets, secretEnv } from './env.ts'
import { dependencies, healthCheck, interfaces, postInstall, preStart } from './life.ts'
import { dataUid, files, volumes } from './storage.ts'
import { durationText, isMapping, labelOf, listOf, sizeText, textAt } from './values.ts'

export type Translate = (value: unknown, member: Member) => void

/** By key, without the section it stands in. */
export const FIELDS: Readonly<Record<string, Translate>> = {
  id: (value, { draft, name, tell }) => {
    const changed = labelOf(String(value)) !== value
    tell(changed ? 'approximated' : 'mapped', `id ${draft.id}, component ${name}`)
  },
  name: ofApp('title'),
  version: ofApp('version'),
  description: ofApp('description'),
  container_name: (value, { draft, name, tell }) => {
    draft.adopt[name] = [String(value)]
    tell(
      'mapped',
      `adopt.${name}: the running container becomes this component; its new name is made by the node`,
    )
  },
  devices,
  capabilities,
  image,
  build: (_, { draft, name, tell }) => {
    draft.images[name] = { oci: `images/${name}` }
    tell('decide', `build the image yourself and save it as images/${name}: nodes build nothing`)
  },
  image_signature: (_, { tell }) => tell('dropped', 'images are a part of the signed release'),
  pull_policy: (_, { tell }) =>
    tell('dropped', 'images come with the release and are never pulled'),
  network: (value, { tell }) =>
    tell(
      'approximated',
      `${String(value)} becomes the default network of the app, which it shares with no other app`,
    ),
  network_policy: networkPolicy,
  network_aliases: (value, { component, name, tell }) => {
    component.aliases = [...new Set([name, ...listOf(value).map(each => labelOf(String(each)))])]
    tell('mapped', 'aliases, after the name of the component')
  },
  entrypoint: argv('entrypoint'),
  custom_args: argv('command'),
  generated_secrets: generatedSecrets,
  generated_certs: generatedCerts,
  secret_env: secretEnv,
  derived_env: derivedEnv,
  environment,
  ports,
  volumes,
  data_uid: dataUid,
  files,
  readonly_root: (value, { component, tell }) => {
    component.security.readOnlyRoot = value === true
    tell('mapped', 'security.readOnlyRoot')
  },
  no_new_privileges: (value, { component, tell }) => {
    component.security.noNewPrivileges = value !== false
    tell('mapped', 'security.noNewPrivileges')
  },
  apparmor_profile: (_, { tell }) =>
    tell('dropped', 'the protections of the machine stay on for every app'),
  cpu_limit: (value, { component, tell }) => {
    component.resources.cpuPercent = Math.max(1, Math.round(Number(value) * 100))
    tell('mapped', 'resources.cpuPercent, in hundredths of one core')
  },
  memory_limit: (value, { component, tell }) => {
    const size = sizeText(value)
    if (size === undefined) {
      tell('decide', `${String(value)} is no size; write resources.memory`)
      return
    }
    component.resources.memory = size
    tell('mapped', `resources.memory: ${size}`)
  },
  disk_limit: (_, { tell }) => tell('dropped', 'disks are not limited by app'),
  dependencies,
  health_check: healthCheck,
  interfaces,
  'hooks.post_install': postInstall,
  'hooks.pre_start': preStart,
  stop_grace_secs: (value, { component, tell }) => {
    component.stop = { grace: durationText(value) ?? '30s' }
    tell('mapped', 'stop.grace')
  },
  metadata: (value, { draft, tell }) => {
    const source = textAt(value, 'repo', 'source')
    if (source !== undefined && URL.canParse(source)) draft.links = { source }
    tell('approximated', 'only repo or source is kept, as links.source')
  },
}

/** Said by every member there, and of the whole app here: the first member's counts. */
function ofApp(key: 'title' | 'version' | 'description'): Translate {
  return (value, { draft, isFirst, tell }) => {
    if (!isFirst) {
      tell('dropped', `the app has one ${key}, that of its first manifest`)
      return
    }
    draft[key] = String(value)
    const isWrong = key === 'version' && !/\d/.test(String(value))
    tell(isWrong ? 'decide' : 'mapped', isWrong ? 'a version has a digit' : key)
  }
}

function image(value: unknown, { draft, name, tell }: Member): void {
  draft.images[name] = { oci: `images/${name}` }
  const reference = String(value)
  const tag = /:([^/:@]+)$/.exec(reference.replace(/@.*$/, ''))?.[1]
  if (!reference.includes('@') && (tag === undefined || tag === 'latest')) {
    const place = reference.replace(/:latest$/, '')
    tell(
      'decide',
      `choose a version and save it: skopeo copy docker://${place}:VERSION oci:images/${name}`,
    )
  } else tell('decide', `save the image: skopeo copy docker://${reference} oci:images/${name}`)
}

function networkPolicy(value: unknown, { component, tell }: Member): void {
  const own = ['tun', 'net-admin', 'net-raw'].filter(grant => component.grants[grant])
  if (value === 'bridge') tell('mapped', 'the default network of the app')
  else if (value !== 'host') {
    tell(
      'approximated',
      `${String(value)}: the default network of the app; an internal one is networks: { <name>: { internal: true } }`,
    )
  } else if (own.length > 0) {
    tell(
      'decide',
      `a network of its own, because the machine's cannot be changed with ${own.join(' and ')}`,
    )
  } else {
    component.grants['host-network'] = { why: 'The program uses the network of the machine' }
    tell('decide', 'grants.host-network: write why; ports are not declared with it')
  }
}

function argv(key: 'entrypoint' | 'command'): Translate {
  return (value, { component, tell }) => {
    component[key] = listOf(value).map(String)
    tell('mapped', key)
  }
}

function ports(value: unknown, { component, tell }: Member): void {
  for (const each of listOf(value)) {
    const host = Number(textAt(each, 'host'))
    const container = Number(textAt(each, 'container') ?? host)
    const protocol = textAt(each, 'protocol') ?? 'tcp'
    if (!Number.isInteger(host) || host < 1) tell('decide', `${JSON.stringify(each)} is no port`)
    else component.ports.push({ host, container, protocol })
  }
  if (component.grants['host-network'] === undefined) {
    tell('mapped', 'ports')
    return
  }
  component.ports.length = 0
  tell('dropped', 'ports: with the network of the machine they are not declared')
}

function devices(value: unknown, { component, tell }: Member): void {
  const kept: object[] = []
  for (const each of listOf(value)) {
    const path = (isMapping(each) ? (textAt(each, 'path', 'source') ?? '') : String(each)).replace(
      /:.*$/,
      '',
    )
    const grant = /^\/dev\/net\//.test(path) ? 'tun' : /^\/dev\/dri/.test(path) ? 'gpu' : undefined
    if (grant === undefined) {
      kept.push({ path, optional: true })
      tell('approximated', `devices: ${path}, left out where the machine does not have it`)
    } else {
      component.grants[grant] = { why: `The program uses ${path}` }
      tell('decide', `grants.${grant} for ${path}: write why`)
    }
  }
  if (kept.length > 0) component.devices = kept
}

function capabilities(value: unknown, { component, tell }: Member): void {
  const kept: string[] = []
  for (const each of listOf(value)) {
    const name = String(each).toUpperCase().replace(/^CAP_/, '')
    if ((CAPABILITIES as readonly string[]).includes(name)) kept.push(name)
    else if (name === 'NET_ADMIN' || name === 'NET_RAW') {
      const grant = name === 'NET_ADMIN' ? 'net-admin' : 'net-raw'
      component.grants[grant] = { why: `The program needs ${name}` }
      tell('decide', `grants.${grant} for ${name}: write why`)
    } else tell('decide', `${name} is not possible for any app; try without it`)
  }
  if (kept.length === 0) return
  component.security.capabilities = kept
  tell('mapped', 'security.capabilities')
}
