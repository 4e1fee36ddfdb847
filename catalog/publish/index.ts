/** The publisher's side of the catalog. Nodes do not load it; its commands and tests do. */
export { type AddedApp, type AddOptions, addApp } from './add.ts'
export { type Bundle, exportBundle } from './bundle.ts'
export { acknowledgeFork, type Delegated, delegateTo, endDelegation } from './delegate.ts'
export type { Destination } from './destination/destination.ts'
export { openDestination } from './destination/open.ts'
export { type InitializedOrigin, initOrigin } from './init.ts'
export { originFolder } from './origin-folder.ts'
export { type Publication, publishOrigin } from './publish.ts'
export type { AddProgress } from './published-form.ts'
export {
  type InitializedPublisher,
  initPublisher,
  rotatePublisher,
} from './publisher/identity.ts'
export { type FeedPublication, publishFeed } from './publisher/publish-feed.ts'
export {
  blobName,
  openPublisherFolder,
  type PublisherSource,
  unusable,
} from './publisher/source.ts'
export { decideRelease, readReleases } from './release/decide.ts'
export { findDraftApp } from './release/find.ts'
export {
  advanceNext,
  completeNext,
  haltNext,
  parseSteps,
  stageNext,
} from './release/rollout.ts'
export {
  type AppReleasesView,
  type ChannelView,
  type StagedView,
  viewApp,
  viewReleases,
} from './release/view.ts'
export { raiseFloor, rollBackTo, yankRelease } from './release/withdraw.ts'
