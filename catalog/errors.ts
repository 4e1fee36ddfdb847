/** The codes of everything that the catalog refuses. The table in CONTRIBUTING.md lists them; a test compares. */
import { NodeError } from '../src/core/errors.ts'

/** A manifest, in either form, that may not be published or run. */
export class ManifestError extends NodeError<'MANIFEST_INVALID' | 'MANIFEST_MISMATCH'> {}

/** Catalog metadata that was refused. The trusted state is unchanged. */
export class CatalogError extends NodeError<
  | 'METADATA_TOO_LARGE'
  | 'METADATA_MALFORMED'
  | 'METADATA_MISSING'
  | 'METADATA_UNREACHABLE'
  | 'SIGNATURE_THRESHOLD'
  | 'VERSION_ROLLBACK'
  | 'VERSION_MISMATCH'
  | 'VERSION_REUSED'
  | 'METADATA_EXPIRED'
  | 'LENGTH_MISMATCH'
  | 'HASH_MISMATCH'
  | 'KEY_REFUSED'
  | 'ROOT_INVALID'
  | 'APP_UNKNOWN'
  | 'CATALOG_FORKED'
  | 'DELEGATION_TWICE'
  | 'DELEGATION_LIMIT'
  | 'DID_MALFORMED'
  | 'VALIDITY_TOO_LONG'
  | 'STALE_NOT_THIS'
  | 'FILE_NOT_CANONICAL'
  | 'TEXT_NOT_PLAIN'
  | 'TIME_MALFORMED'
  | 'PATH_PATTERN_REFUSED'
  | 'VERSION_JUMP'
  | 'THRESHOLD_UNREACHABLE'
  | 'META_INCOMPLETE'
  | 'ROLE_NAME_REFUSED'
  | 'SIGNATURE_STRAY'
  | 'SIGNATURE_LIMIT'
  | 'HASH_UNKNOWN'
  | 'SNAPSHOT_NOT_CONSISTENT'
> {}

/** The publisher's tool could not do what it was asked; nothing that was published is changed. */
export class PublishError extends NodeError<
  | 'ORIGIN_EXISTS'
  | 'ORIGIN_MISSING'
  | 'ORIGIN_DAMAGED'
  | 'ORIGIN_BUSY'
  | 'KEY_MISSING'
  | 'OCI_INVALID'
  | 'OCI_PLATFORM_MISSING'
  | 'OCI_TRUNCATED'
  | 'HASH_DISAGREEMENT'
  | 'VERSION_NOT_NEWER'
  | 'ORIGIN_OUTDATED'
  | 'RELEASE_UNKNOWN'
  | 'DECISION_REFUSED'
  | 'HEAD_UNEXPECTED'
  | 'BLOB_REFUSED'
  | 'BUNDLE_REFUSED'
  | 'PUBLISHER_REFUSED'
  | 'DESTINATION_FAILED'
  | 'PUBLICATION_UNVERIFIED'
> {}
