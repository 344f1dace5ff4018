"""Keys of every kind, and what counts towards a threshold (TUF 1.0.34, 4.2, 5.3.4 and TAP 21)."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from enigm_testkit.authorities import NOW, Cast, keyids, make_root, make_timestamp, new_signer, signed
from enigm_testkit.clauses import refused, rooted
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import canonical, encode, parse
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_timestamp,
    trust_root,
)


def root_with_key(cast: Cast, keyid: str, key: dict[str, Any], threshold: int) -> TrustedMetadata:
    """A root that also names ``key`` for timestamp; written as JSON, since tuf.api may not know the key."""
    envelope = parse(signed(make_root(cast), []), source="root")
    body = envelope["signed"]
    body["keys"][keyid] = key
    body["roles"]["timestamp"]["keyids"].append(keyid)
    body["roles"]["timestamp"]["threshold"] = threshold
    envelope["signatures"] = [
        {"keyid": signer.public_key.keyid, "sig": signer.sign(canonical(body)).signature} for signer in cast.root
    ]
    return trust_root(encode(envelope), NOW, PlainTuf())


@pytest.mark.parametrize(
    "key",
    [
        {"keytype": "ml-dsa", "scheme": "ml-dsa-65/9", "keyval": {"public": "00"}},
        {"keytype": "future", "scheme": "future", "keyval": {"anything": [1, 2]}},
    ],
)
@pytest.mark.parametrize("threshold", [1, 2])
def test_a_key_of_an_unknown_type_stops_nobody_and_never_counts(
    cast: Cast, key: dict[str, Any], threshold: int
) -> None:
    """4.3: implementations may define further key types; a client that does not know one cannot count it."""
    state = root_with_key(cast, "e" * 64, key, threshold)
    envelope = parse(signed(make_timestamp(), cast.timestamp), source="timestamp")
    envelope["signatures"].append({"keyid": "e" * 64, "sig": "00"})
    if threshold == 1:
        assert admit_timestamp(state, encode(envelope)).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, encode(envelope)))


@pytest.mark.parametrize(
    ("scheme", "counts"), [("rsassa-pss-sha256", True), ("rsa-pkcs1v15-sha256", False), ("rsassa-pss-sha512", False)]
)
def test_rsa_counts_with_pss_sha256_only(cast: Cast, scheme: str, counts: bool) -> None:
    """5.3.4: the signature itself is right in every case."""
    private = rsa.generate_private_key(65537, 2048)
    public = SSlibKey.from_crypto(private.public_key(), scheme=scheme)
    signer = CryptoSigner(private, public)
    root = make_root(cast)
    root.roles["timestamp"].keyids = []
    root.add_key(public, "timestamp")
    state = trust_root(signed(root, cast.root), NOW, PlainTuf())
    data = signed(make_timestamp(), [signer])
    if counts:
        assert admit_timestamp(state, data).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, data))


@pytest.mark.parametrize(
    "signer",
    [
        CryptoSigner(ec.generate_private_key(ec.SECP256R1())),
        CryptoSigner(ec.generate_private_key(ec.SECP384R1())),
        CryptoSigner(Ed25519PrivateKey.generate()),
    ],
    ids=["p256", "p384", "ed25519"],
)
def test_each_kind_of_key_that_we_allow_counts(cast: Cast, signer: CryptoSigner) -> None:
    """5.3.4."""
    root = make_root(Cast(cast.root, cast.payload, cast.manifest, [signer]))
    state = trust_root(signed(root, cast.root), NOW, PlainTuf())
    assert admit_timestamp(state, signed(make_timestamp(), [signer])).timestamp


@pytest.mark.rule("THRESHOLD-DISTINCT", "reject")
@pytest.mark.rule("THRESHOLD-DISTINCT", "accept")
@pytest.mark.parametrize("distinct", [True, False])
def test_one_key_that_signs_under_two_keyids_counts_once(cast: Cast, distinct: bool) -> None:
    """5.3.4: a threshold of unique keys, whatever they are called."""
    first, second = new_signer(), new_signer()
    twin = first.public_key
    copy = type(twin)("d" * 64, twin.keytype, twin.scheme, dict(twin.keyval))
    root = make_root(cast)
    root.roles["timestamp"].keyids = keyids([first])
    root.roles["timestamp"].threshold = 2
    root.keys[twin.keyid] = twin
    other = second.public_key if distinct else copy
    root.keys[other.keyid] = other
    root.roles["timestamp"].keyids.append(other.keyid)
    data = signed(make_timestamp(), [first, second if distinct else renamed(first, copy.keyid)])
    if distinct:
        assert admit_timestamp(rooted(cast, root), data).timestamp
    else:
        refused("THRESHOLD-DISTINCT", lambda: admit_timestamp(rooted(cast, root), data))


def renamed(signer: CryptoSigner, keyid: str) -> CryptoSigner:
    """The same private key, which signs under another keyid."""
    public = type(signer.public_key)(
        keyid, signer.public_key.keytype, signer.public_key.scheme, dict(signer.public_key.keyval)
    )
    return CryptoSigner(signer._private_key, public)


def test_the_same_keyid_twice_in_one_file_is_malformed(cast: Cast) -> None:
    """4.2.1: keyids are unique in a file."""
    envelope = parse(signed(make_timestamp(), cast.timestamp), source="timestamp")
    envelope["signatures"].append(dict(envelope["signatures"][0]))
    with pytest.raises(MalformedError, match="twice"):
        admit_timestamp(rooted(cast), encode(envelope))
