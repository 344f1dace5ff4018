"""The freshness key lives in another process: canonical bytes go in, ``{"keyid", "sig"}`` comes out, nothing else."""

import subprocess
from collections.abc import Sequence
from datetime import datetime

from enigm_tuf.errors import MisuseError, TokenError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.issued import issued_field
from enigm_tuf.model.keys import HEX
from enigm_tuf.model.shapes import SHA256, Record
from enigm_tuf.model.strict_json import parse, sha256
from enigm_tuf.model.tuf import Root, Timestamp
from enigm_tuf.trust.threshold import require_threshold
from enigm_tuf_repository.lineage import SignedFile, metadata_file
from enigm_tuf_repository.requests import proposal_bytes
from enigm_tuf_repository.role_building import signed_part
from enigm_tuf_repository.trusted import role_keys

SIGNER_SECONDS = 120  # a token over USB, with time to come back from sleep
_ANSWER: Record[dict[str, str]] = Record(dict, keyid=SHA256, sig=HEX)


def next_timestamp(before: Timestamp | None, snapshot: SignedFile, now: datetime, expires: datetime) -> Timestamp:
    """One version above the published one; names the snapshot by version, length and hash, and says that it is now."""
    meta = {"version": snapshot.version, "length": len(snapshot.data), "hashes": {"sha256": sha256(snapshot.data)}}
    signed = signed_part(Timestamp, before.version + 1 if before else 1, expires) | issued_field(now)
    return Timestamp.read({**signed, "meta": {"snapshot.json": meta}}, "timestamp")


def sign_timestamp(signer: Sequence[str], timestamp: Timestamp, root: Root) -> bytes:
    """The file ``timestamp.json``, its signature checked against root; TokenError where the signer fails."""
    data = proposal_bytes(timestamp)
    answer = _ANSWER.read(parse(_run(signer, data), source="timestamp signer"), "timestamp signer")
    signatures = {answer["keyid"]: answer["sig"]}
    keys = role_keys("timestamp", root, None)
    require_threshold(
        keys.keys, keys.keyids, keys.threshold, signatures, data, f"timestamp version {timestamp.version}"
    )
    return metadata_file(data, signatures)


def _run(signer: Sequence[str], data: bytes) -> bytes:
    try:
        result = subprocess.run(signer, input=data, capture_output=True, timeout=SIGNER_SECONDS, check=False)
    except OSError as error:
        hint = "timestamp_signer in repository.toml names the command"
        raise MisuseError(f"timestamp signer {signer[0]}: {error.strerror}", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise TokenError(f"timestamp signer {signer[0]}: no answer within {SIGNER_SECONDS} s") from error
    if result.returncode != 0:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise TokenError(f"timestamp signer {signer[0]} failed: {said[0] if said else f'exit {result.returncode}'}")
    return result.stdout[: LIMITS.document_bytes + 1]
