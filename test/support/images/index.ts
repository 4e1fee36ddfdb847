/** Real app images without a registry, for tests and the demo. */
export { type AppFolders, type BuildOptions, buildAppFolders, type ImageMode } from './build.ts'
export { buildLargeApp, type LargeApp, type LargeAppOptions } from './large.ts'
export type { AppName } from './recipes.ts'
