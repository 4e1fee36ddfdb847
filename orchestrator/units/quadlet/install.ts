/** The links that `[Install]` asks for: the generator makes them itself, `systemctl enable` is not for such units. Pure. */
import { dirname, relative } from 'node:path/posix'
import type { UnitSection } from '../file.ts'
import { reading } from './reading.ts'

export interface UnitLink {
  /** Below the folder of the generated services. */
  readonly path: string
  /** Relative to the folder of the link. */
  readonly target: string
}

export function installLinks(
  sections: readonly UnitSection[],
  service: string,
): readonly UnitLink[] {
  const install = reading(sections, 'Install')
  const link = (path: string): UnitLink => ({
    path,
    target: relative(dirname(`/${path}`), `/${service}`),
  })
  const instance = wantedInstance(service, install.text('DefaultInstance'))
  const wanted =
    instance === undefined
      ? []
      : [
          ...install.list('WantedBy').map(unit => ({ ...link(`${unit}.wants/${instance}`) })),
          ...install.list('RequiredBy').map(unit => link(`${unit}.requires/${instance}`)),
        ]
  return [...install.list('Alias').map(alias => link(alias)), ...wanted]
}

/** A template can only be wanted as one of its instances. */
function wantedInstance(service: string, instance: string | undefined): string | undefined {
  if (!service.endsWith('@.service')) return service
  return instance === undefined ? undefined : service.replace('@.', `@${instance}.`)
}
