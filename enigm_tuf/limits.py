"""The limits, each with its unit and its reason. Checked before anything is parsed."""

from enigm_tuf.model.value import Value


class Limits(Value):
    """Upper bounds on what comes from outside. Bytes unless the name says otherwise."""

    root_bytes: int = 512_000  # TUF specification 5.3.3 asks for a bound; ngclient uses the same one
    timestamp_bytes: int = 16_384  # one meta entry and its signatures; ngclient uses the same one
    snapshot_bytes: int = 2_000_000  # about 20,000 roles
    targets_bytes: int = 5_000_000  # about 15,000 targets in one role, where snapshot does not state its length
    stated_targets_bytes: int = 64_000_000  # about 200,000 targets, where it does
    manifest_bytes: int = 1_000_000  # one channel: a few releases
    record_bytes: int = 64_000  # custom of one target: the payload record
    document_bytes: int = 1_000_000  # any other JSON of ours: key record, approval, index
    evidence_bytes: int = 16_000_000  # a statement or bill of materials of a build; one of an OS has some 10 MB
    inventory_bytes: int = 16_000_000  # 1,000 key records, most of it attestation
    request_bytes: int = 64_000_000  # a whole .enigmreq or .enigmresp
    request_entries: int = 1_000  # files in one request
    json_depth: int = 32  # nesting; the deepest document of ours has 8
    integer_maximum: int = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259 section 6)
    root_rotations: int = 256  # roots in one refresh, TUF specification 5.3.3 (ngclient: 256)
    delegations: int = 32  # roles visited for one target (ngclient: 32)
    payload_bytes: int = 64 * 2**30  # one artifact
    listed: int = 10_000  # items in any one list of our documents
    text: int = 4_096  # characters in any one string of our documents


LIMITS = Limits()
