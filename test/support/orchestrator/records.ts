/** Records and observations for tests of pure decisions. */

import type { UnitState } from '../../../orchestrator/ports.ts'
import type { AppRecord, Generation } from '../../../orchestrator/record.ts'
import { emptyRecord } from '../../../orchestrator/record.ts'
import { appSpec } from '../../../orchestrator/spec.ts'
import { forRender } from './manifest.ts'

const MANIFEST = `
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
components:
  db: { image: a, health: { exec: [ready], startBudget: 2m }, stop: { grace: 60s } }
  web:
    image: a
    ports: [{ container: 80, host: 8080 }]
    dependsOn: { db: { condition: healthy } }
    health: { http: { port: 8080 }, startBudget: 1m }
    stop: { grace: 5s }
`

export const DUO = appSpec(forRender(MANIFEST))

export function generation(over: Partial<Generation> = {}): Generation {
  return {
    number: 1,
    publisher: 'core',
    channel: 'stable',
    seq: 1,
    manifest: 'blake3:one',
    spec: DUO,
    images: [],
    quadlet: [],
    target: { name: 'app-duo.target', text: '' },
    ...over,
  }
}

export function installed(over: Partial<AppRecord> = {}): AppRecord {
  return { ...emptyRecord('duo', 'Duo'), lastGeneration: 1, committed: generation(), ...over }
}

export function unit(active: string, restarts = 0): UnitState {
  return { active, sub: '', result: 'success', restarts }
}

export function units(db: UnitState, web: UnitState): ReadonlyMap<string, UnitState> {
  return new Map([
    ['app-duo_db.service', db],
    ['app-duo_web.service', web],
  ])
}
