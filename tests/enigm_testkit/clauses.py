"""The steps of the TUF client workflow up to a clause, each with what a test wants to differ."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Root, Signed, Snapshot, Targets, Timestamp

from enigm_testkit.authorities import NOW, Cast, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import JsonObject, canonical, encode
from enigm_tuf.trust.metadata import TrustedMetadata, admit_snapshot, admit_targets, admit_timestamp, trust_root

SECOND = timedelta(seconds=1)


def rooted(cast: Cast, root: Root | None = None) -> TrustedMetadata:
    """5.2."""
    return trust_root(signed(root or make_root(cast), cast.root), NOW, PlainTuf())


def timestamped(cast: Cast, timestamp: Timestamp | None = None, *, stored: bool = False) -> TrustedMetadata:
    """5.4."""
    data = signed(timestamp or make_timestamp(), cast.timestamp)
    return admit_timestamp(rooted(cast), data, stored=stored)


def snapshotted(cast: Cast, snapshot: Snapshot | None = None) -> TrustedMetadata:
    """5.5."""
    snapshot = snapshot or make_snapshot({"targets": 1})
    state = timestamped(cast, make_timestamp(snapshot.version))
    return admit_snapshot(state, signed(snapshot, cast.manifest))


def with_targets(cast: Cast, targets: Targets, meta: MetaFile | None = None) -> TrustedMetadata:
    """5.6, with what snapshot says of targets."""
    snapshot = make_snapshot({})
    snapshot.meta["targets.json"] = meta or MetaFile(1)
    return admit_targets(snapshotted(cast, snapshot), ("targets",), signed(targets, cast.manifest))


def refused(rule: str, step: Callable[[], object]) -> RefusedError:
    """The step raises RefusedError with this rule."""
    with pytest.raises(RefusedError) as caught:
        step()
    assert caught.value.rule == rule
    return caught.value


def expiring(value: Signed, when: timedelta) -> None:
    """Relative to the fixed start time."""
    value.expires = NOW + when


def sealed(body: JsonObject, signers: Sequence[CryptoSigner]) -> bytes:
    """A file that says exactly ``body``, signed: for what tuf.api would not write."""
    data = canonical(body)
    made = [signer.sign(data) for signer in signers]
    return encode({"signed": body, "signatures": [{"keyid": one.keyid, "sig": one.signature} for one in made]})
