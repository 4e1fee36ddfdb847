/** An app that asks for more than its limits give, one component per limit. Its units are rendered as for any other app. */

import { type RenderedUnits, renderApp } from '../../orchestrator/units/render.ts'
import { forRender, renderInput } from '../support/orchestrator/manifest.ts'

export const LIMITS = { memoryMiB: 64, pids: 32, cpuPercent: 20 } as const

const MANIFEST = `apiVersion: archy.app/v1
id: limits
version: "1.0.0"
title: Limits
images:
  web: { oci: images/web, platforms: [amd64] }
components:
  memory:
    image: web
    user: { uid: 999, gid: 999 }
    entrypoint: [/usr/bin/busybox, sh, -c]
    command:
      - >-
        dd if=/dev/zero of=/dev/null bs=16M count=1; echo "small ended with $?";
        dd if=/dev/zero of=/dev/null bs=200M count=1; echo "large ended with $?";
        trap exit TERM; while :; do sleep 1; done
    resources: { memory: ${LIMITS.memoryMiB}MiB }
    stop: { grace: 1s }
    security: { readOnlyRoot: true }
  pids:
    image: web
    user: { uid: 999, gid: 999 }
    entrypoint: [/usr/bin/busybox, sh, -c]
    command:
      - >-
        sh -c 'i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done; echo none was refused';
        echo "forks ended with $?"; exec sleep 600
    resources: { pids: ${LIMITS.pids} }
    stop: { grace: 1s }
    security: { readOnlyRoot: true }
  cpu:
    image: web
    user: { uid: 999, gid: 999 }
    entrypoint: [/usr/bin/busybox, sh, -c]
    command: ['while :; do :; done']
    resources: { cpuPercent: ${LIMITS.cpuPercent} }
    stop: { grace: 1s }
    security: { readOnlyRoot: true }
`

/** `imageId` is that of an image with busybox. */
export function renderLimitsApp(imageId: string): RenderedUnits {
  const manifest = forRender(MANIFEST)
  const imageIds = new Map(Object.keys(manifest.components).map(name => [name, imageId]))
  return renderApp(renderInput(manifest, { imageIds, dataFolder: '/home/archy/data' }))
}
