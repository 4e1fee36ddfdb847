import { expect } from 'chai'
import { appSpec, appSpecSchema } from '../../../orchestrator/spec.ts'
import { forRender } from '../../support/orchestrator/manifest.ts'

const SPEC = appSpec(
  forRender(`
apiVersion: archy.app/v1
id: shop
version: "2.1"
title: Shop
images: { a: { oci: a } }
networks: { back: { internal: true } }
needs: { db: { app: postgres, export: sql, versions: ">=16", optional: true } }
provides: { api: { component: web } }
components:
  web:
    image: a
    ports: [{ container: 80, host: 8080 }]
    health:
      http: { port: 8080 }
      startup: { exec: [ls, /ready], interval: 1s, timeout: 2s, failures: 9 }
      live: { tcp: { port: 8080 }, interval: 10s }
  db:
    image: a
    health: { exec: [ready], startup: { exec: [started] }, live: { exec: [alive, -x] } }
  job: { image: a, role: job }
  slow: { image: a, role: job, health: { startBudget: 2h } }
`),
)

const component = (name: string) => SPEC.components.find(each => each.name === name)

describe('appSpec', () => {
  it('has every network of the app with the unit that makes it', () => {
    expect(SPEC.networks).to.deep.equal([
      { name: 'app-shop', unit: 'app-shop-network.service' },
      { name: 'app-shop.net.back', unit: 'app-shop.net.back-network.service' },
      { name: 'app-shop.export.api', unit: 'app-shop.export.api-network.service' },
    ])
  })

  it('says what the app needs of others and gives to them', () => {
    expect(SPEC.needs).to.deep.equal([
      {
        alias: 'db',
        app: 'postgres',
        export: 'sql',
        network: 'app-postgres.export.sql',
        versions: '>=16',
        gate: 'healthy',
        isOptional: true,
      },
    ])
    expect(SPEC.provides).to.deep.equal([{ name: 'api', component: 'web', version: '2.1' }])
  })

  it('leaves to the node what Podman does not check', () => {
    expect(component('web')?.startup).to.deep.equal({
      kind: 'exec',
      argv: ['ls', '/ready'],
      intervalMs: 1000,
      timeoutMs: 2000,
      failures: 9,
    })
    expect(component('web')?.live).to.deep.include({ kind: 'tcp', port: 8080, intervalMs: 10_000 })
    expect(component('db')?.startup, 'Podman makes it').to.equal(undefined)
    expect(component('db')?.live).to.deep.include({ kind: 'exec', argv: ['alive', '-x'] })
  })

  it('gives jobs an hour, or what they ask for, and never asks whether they are healthy', () => {
    expect(component('job')).to.include({ role: 'job', startBudgetMs: 3_600_000 })
    expect(component('slow')).to.include({ role: 'job', startBudgetMs: 7_200_000 })
    expect(component('slow')?.probe).to.deep.equal({ kind: 'none' })
  })

  it('is what a record keeps', () => {
    expect(appSpecSchema.parse(JSON.parse(JSON.stringify(SPEC)))).to.deep.equal(SPEC)
  })
})
