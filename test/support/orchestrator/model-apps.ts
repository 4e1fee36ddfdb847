/** Manifests for the model machine. */

/** A database and a web front that waits for it. */
export const duoManifest = (version: string, id = 'duo', port = 8080): string => `
apiVersion: archy.app/v1
id: ${id}
version: "${version}"
title: Duo
images: { a: { oci: a } }
config: { mode: { type: string, default: calm } }
secrets:
  password: { generate: { kind: hex }, rotate: onDemand }
  token: { generate: { kind: hex }, rotate: onDemand }
data: { db: { snapshot: true } }
components:
  db:
    image: a
    env: { PASSWORD: "\${secrets.password}", VERSION${version}: "${version}-\${secrets.password}" }
    mounts: [{ data: db, path: /data }]
    health: { exec: [ready], startBudget: 2m }
    stop: { grace: 60s }
  web:
    image: a
    env: { TOKEN: "\${secrets.token}", MODE: "\${config.mode}" }
    ports: [{ container: 80, host: ${port} }]
    dependsOn: { db: { condition: healthy } }
    health: { http: { port: ${port} }, startBudget: 1m }
    stop: { grace: 5s }
`

/** One that provides something to others. */
export const baseManifest = `
apiVersion: archy.app/v1
id: base
version: "26.1"
title: Base
images: { a: { oci: a } }
components:
  main:
    image: a
    ports: [{ container: 80, host: 8081 }]
    health: { http: { port: 8081 }, startBudget: 1m }
provides: { rpc: { component: main } }
`

/** One that needs it. */
export const leafManifest = `
apiVersion: archy.app/v1
id: leaf
version: "1"
title: Leaf
images: { a: { oci: a } }
needs: { node: { app: base, export: rpc, versions: ">=26" } }
components:
  main:
    image: a
    ports: [{ container: 80, host: 8082 }]
    health: { http: { port: 8082 }, startBudget: 1m }
`
