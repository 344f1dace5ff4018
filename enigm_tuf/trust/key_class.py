"""KEY-CLASS on a key record: of which keys there may be copies, and that the attributes say the same."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import KeyClass, KeyRecord, Purpose
from enigm_tuf.trust.rules import AuthorityRule


def require_key_class(record: KeyRecord) -> None:
    """RefusedError KEY-CLASS: a copy of a key that may have none, or attributes that say otherwise than the record."""
    subject = f"key {record.label} of {record.custodian}"
    require_class_of_purpose(record.key_class, record.purpose, subject)
    extractable = record.attributes.get("extractable")
    copied = record.key_class == "wrapped-backup"
    if copied != (extractable is not None and extractable.flag is True):
        got = "EXTRACTABLE true" if not copied else "EXTRACTABLE not true"
        raise RefusedError(
            AuthorityRule.KEY_CLASS, subject, expected=f"attributes of a key of class {record.key_class}", got=got
        )


def require_class_of_purpose(key_class: KeyClass, purpose: Purpose, subject: str) -> None:
    """Root has a threshold instead of copies; approvals and manifests are made by a card that a person holds."""
    if key_class == "wrapped-backup" and purpose != "payload":
        raise RefusedError(
            AuthorityRule.KEY_CLASS,
            subject,
            expected=f"a {purpose} key that never leaves its token",
            got="wrapped-backup",
            hint="only payload keys may have copies: make a new key without --class",
        )
