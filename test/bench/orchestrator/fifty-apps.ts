/** Fifty apps on a lab node: one is installed as any app, the others are its record and its units under other names. */
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildAppFolders } from '../../support/images/index.ts'
import type { Lab, LabNode } from '../../support/lab/index.ts'

export const APPS = 50
export const NODE = '/opt/archy/node_modules/.bin/node'

const DRIVE = '/opt/archy/test/support/orchestrator/drive.ts'
/** Image load, start, health; on a busy machine. */
const INSTALL_TIMEOUT_MS = 120_000
/** Fifty containers with a network each, on two busy cores. */
const START_TIMEOUT_MS = 400_000

/** Number 10, so that every number up to 59 has as many digits; the port is in its name's place too. */
const MANIFEST = `apiVersion: archy.app/v1
id: bench10
version: "1.0.0"
title: Bench 10
images:
  web: { oci: images/web, platforms: [amd64] }
components:
  web:
    image: web
    user: { uid: 999, gid: 999 }
    ports:
      - { container: 8080, host: 9010 }
    health:
      http: { port: 9010, path: /version }
      interval: 30s
      startBudget: 3m
    stop: { grace: 1s }
    resources: { memory: 64MiB, pids: 64 }
    security: { readOnlyRoot: true }
`

/** In the node: a record and unit files for each further app, then everything is started as at a boot. */
const CLONE = `set -eu
records=.local/state/archipelago/orchestrator/apps
quadlets=.config/containers/systemd
targets=.config/systemd/user
for number in $(seq 11 ${9 + APPS}); do
  for file in $records/bench10.json $quadlets/app-bench10* $targets/app-bench10.target; do
    sed "s/bench10/bench$number/g; s/Bench 10/Bench $number/g; s/9010/90$number/g" "$file" \\
      > "$(echo "$file" | sed "s/bench10/bench$number/")"
  done
  ln -s "../app-bench$number.target" "$targets/default.target.wants/app-bench$number.target"
done
systemctl --user daemon-reload
for number in $(seq 10 ${9 + APPS}); do
  systemctl --user start "app-bench$number.target"
done
until [ "$(systemctl --user list-units --plain --no-legend --state=running 'app-bench*.service' | wc -l)" = ${APPS} ]; do
  sleep 1
done
`

/** Resolves when all of them run. */
export async function startFiftyApps(lab: Lab, node: LabNode): Promise<void> {
  const apps = await buildAppFolders({ mode: 'real' })
  const folder = join(lab.share, 'bench10')
  await cp(apps.folders['hello-web'], folder, { recursive: true })
  await writeFile(join(folder, 'archy.yaml'), MANIFEST)
  const installed = await node.ok([NODE, DRIVE, 'install', '/lab/bench10', '1'], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  })
  if (!installed.includes('"ok":true')) throw new Error(`not installed: ${installed}`)
  await node.ok(CLONE, { timeoutMs: START_TIMEOUT_MS })
}
