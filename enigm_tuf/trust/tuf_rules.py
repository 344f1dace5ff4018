"""The rules of the TUF client workflow: ID, what it demands, and its clause of the TUF specification (1.0.33)."""

from enigm_tuf.trust.rules import Rule


class TufRule(Rule):
    """Clause numbers stand in brackets."""

    SIGNATURE_THRESHOLD = "SIGNATURE-THRESHOLD", "metadata meets its role's threshold (5.3.4, 5.4.2, 5.5.3, 5.6.3)"
    METADATA_TYPE = "METADATA-TYPE", "metadata is of the role that was asked for (4.3 to 4.6)"
    ROOT_VERSION = "ROOT-VERSION", "a new root is exactly one version newer (5.3.5)"
    ROOT_EXPIRED = "ROOT-EXPIRED", "the newest root is unexpired (5.3.10)"
    ROLLBACK_TIMESTAMP = "ROLLBACK-TIMESTAMP", "timestamp and its snapshot version never decrease (5.4.3)"
    TIMESTAMP_EXPIRED = "TIMESTAMP-EXPIRED", "timestamp is unexpired (5.4.4)"
    SNAPSHOT_HASH = "SNAPSHOT-HASH", "snapshot has the length and hashes in timestamp (5.5.2)"
    SNAPSHOT_VERSION = "SNAPSHOT-VERSION", "snapshot has the version in timestamp (5.5.4)"
    ROLLBACK_SNAPSHOT = "ROLLBACK-SNAPSHOT", "no role's version in snapshot decreases or vanishes (5.5.5)"
    SNAPSHOT_EXPIRED = "SNAPSHOT-EXPIRED", "snapshot is unexpired (5.5.6)"
    TARGETS_HASH = "TARGETS-HASH", "targets metadata has the length and hashes in snapshot (5.6.2)"
    TARGETS_VERSION = "TARGETS-VERSION", "targets metadata has the version in snapshot (5.6.4)"
    TARGETS_EXPIRED = "TARGETS-EXPIRED", "targets metadata is unexpired (5.6.5)"
    DELEGATION_LIMIT = "DELEGATION-LIMIT", "a search visits a bounded number of roles (5.6.7.1)"
    TARGET_MISSING = "TARGET-MISSING", "the target is listed by a role that may list it (5.6.7)"
    TARGET_HASH = "TARGET-HASH", "a target file has the length and hashes in its metadata (5.7.2)"
    CHUNK_HASH = (
        "CHUNK-HASH",
        "a payload has the digest in its signed tree at the end of every chunk",
    )
    TIME_FLOOR = "TIME-FLOOR", "the clock is not behind the newest time ever seen (5.3.10 needs one fixed time)"
