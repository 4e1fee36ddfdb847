/** The publisher's side of the catalog. Nodes do not load it; its commands and tests do. */

export { appIdProblem } from '../manifest/names.ts'
export type { PublicKey } from '../trust/document.ts'
export { keyIdOf } from '../trust/key.ts'
export { type AddedApp, type AddOptions, addApp, MANIFEST_FILE } from './add.ts'
export { changeBootstrap } from './bootstrap.ts'
export { type Bundle, exportBundle } from './bundle.ts'
export { createRoleRequest, createRootRequest, mergeIntoOrigin } from './ceremony/create.ts'
export { type Replaced, replaceKeys } from './ceremony/replace-keys.ts'
export {
  type DetachedSignature,
  encodeRequest,
  hashOfRequest,
  judge,
  parseRequest,
  parseSignature,
  REQUEST_BYTES_MAX,
  SIGNATURE_BYTES_MAX,
  type SigningRequest,
  signRequest,
} from './ceremony/request.ts'
export { requestText } from './ceremony/show.ts'
export { fingerprintWords } from './ceremony/words.ts'
export { type Conversion, convertManifests } from './convert.ts'
export { acknowledgeFork, type Delegated, delegateTo, endDelegation } from './delegate.ts'
export type { Destination } from './destination/destination.ts'
export { openDestination } from './destination/open.ts'
export { examineOrigin, type Finding } from './doctor.ts'
export { type InitializedOrigin, initOrigin } from './init.ts'
export { encodeKeyFile, generateKey, type KeyType, type Protection } from './keys/key-file.ts'
export { type AskPassphrase, readKeyring, withKey, writeKeyring } from './keys/keyring.ts'
export { openSigner, publicKeyAt, readKeyFile } from './keys/locator.ts'
export { parsePublicKey } from './keys/public-key.ts'
export { parseRecoveryText } from './keys/recovery-text.ts'
export { type Signer, signerOf } from './keys/signer.ts'
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
export { type Review, reviewApp } from './review.ts'
