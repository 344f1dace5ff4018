"""Keys of every kind, and what counts towards a threshold (TUF 1.0.34, 4.2, 5.3.4 and TAP 21)."""

import hashlib
import itertools
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from enigm_testkit.authorities import (
    NOW,
    Cast,
    keyids,
    make_root,
    make_timestamp,
    new_signer,
    signed,
)
from enigm_testkit.clauses import refused, rooted, sealed
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import canonical, encode, parse
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES
from enigm_tuf.model.tuf_fields import Key as OurKey
from enigm_tuf.trust.metadata import TrustedMetadata, admit_timestamp, trust_root
from enigm_tuf.trust.signatures import verifies


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


SIGNERS: dict[str, CryptoSigner] = {
    "p256": CryptoSigner(ec.generate_private_key(ec.SECP256R1())),
    "p384": CryptoSigner(ec.generate_private_key(ec.SECP384R1())),
    "ed25519": CryptoSigner(Ed25519PrivateKey.generate()),
    "rsa2048": CryptoSigner(rsa.generate_private_key(65537, 2048)),
    "mldsa44": CryptoSigner(mldsa.MLDSA44PrivateKey.generate()),
    "mldsa65": CryptoSigner(mldsa.MLDSA65PrivateKey.generate()),
    "mldsa87": CryptoSigner(mldsa.MLDSA87PrivateKey.generate()),
}
COUNTS = {
    "p256": {("ecdsa", "ecdsa-sha2-nistp256"), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256")},
    "p384": {("ecdsa", "ecdsa-sha2-nistp384"), ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384")},
    "ed25519": {("ed25519", "ed25519")},
    "rsa2048": {("rsa", "rsassa-pss-sha256")},
    "mldsa44": {("ml-dsa", "ml-dsa-44/1")},
    "mldsa65": {("ml-dsa", "ml-dsa-65/1")},
    "mldsa87": {("ml-dsa", "ml-dsa-87/1")},
}
EVERY_PAIR = sorted(
    itertools.product(
        [*{keytype for keytype, _ in KNOWN_SCHEMES}, "rsa2", ""],
        [*{scheme for _, scheme in KNOWN_SCHEMES}, "ml-dsa-65", "rsa-pkcs1v15-sha256", "ecdsa-sha2-nistp521", ""],
    )
)


@pytest.mark.parametrize("name", SIGNERS)
def test_each_kind_of_key_that_we_allow_counts_and_one_wrong_bit_does_not(cast: Cast, name: str) -> None:
    """5.3.4, 4.2, TAP 21. securesystemslib makes the key object and the signature."""
    signer = SIGNERS[name]
    root = make_root(Cast(cast.root, cast.payload, cast.manifest, [signer]))
    state = rooted(cast, root)
    data = signed(make_timestamp(), [signer])
    assert admit_timestamp(state, data).timestamp
    envelope = parse(data, source="timestamp")
    right = envelope["signatures"][0]["sig"]
    for sig in (right[:-1] + f"{int(right[-1], 16) ^ 1:x}", right[:-2], right + "00", "", "zz", "é"):
        envelope["signatures"][0]["sig"] = sig
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, encode(envelope)))
    envelope["signatures"][0]["sig"] = right
    envelope["signed"]["version"] = 2
    refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, encode(envelope)))


@pytest.mark.parametrize("name", SIGNERS)
def test_a_key_counts_under_its_own_type_and_scheme_only(name: str) -> None:
    """4.2: a P-256 key under the scheme of P-384, an RSA key as ecdsa and so on; the signature is right in each."""
    public = SIGNERS[name].public_key
    signature = SIGNERS[name].sign(b"data").signature
    counting = {
        pair for pair in EVERY_PAIR if verifies(OurKey("k", *pair, public.keyval["public"]), signature, b"data")
    }
    assert counting == COUNTS[name]


@pytest.mark.parametrize("name", ["mldsa44", "mldsa65", "mldsa87"])
def test_ml_dsa_signs_the_sha512_behind_its_domain(name: str) -> None:
    """TAP 21, version 1: neither the bytes themselves, nor the digest alone, nor another version."""
    signer = SIGNERS[name]
    key = OurKey("k", "ml-dsa", COUNTS[name].copy().pop()[1], signer.public_key.keyval["public"])
    digest = hashlib.sha512(b"data").digest()
    private: Any = signer._private_key
    assert verifies(key, private.sign(b"tuf\x01" + digest).hex(), b"data")
    for message in (b"data", digest, b"tuf\x02" + digest, b"tuf" + digest, b"tuf\x01data"):
        assert not verifies(key, private.sign(message).hex(), b"data")


@pytest.mark.parametrize(("size", "counts"), [(2048, True), (2047, False), (1024, False)])
def test_an_rsa_key_has_at_least_2048_bits(size: int, counts: bool) -> None:
    """4.2: MUST."""
    signer = CryptoSigner(rsa.generate_private_key(65537, size))
    key = OurKey("k", "rsa", "rsassa-pss-sha256", signer.public_key.keyval["public"])
    assert verifies(key, signer.sign(b"data").signature, b"data") is counts


@pytest.mark.parametrize("public", ["", "00", "zz", "é", "\ud800", "0" * 63, "0" * 66, "-----BEGIN PUBLIC KEY-----\n"])
@pytest.mark.parametrize("pair", sorted(KNOWN_SCHEMES), ids="-".join)
def test_a_public_key_that_is_none_never_counts(pair: tuple[str, str], public: str) -> None:
    """4.2: and stops nobody."""
    assert not verifies(OurKey("k", *pair, public), "00" * 64, b"data")


@pytest.mark.parametrize(
    ("threshold", "signers", "trusted"), [(3, 3, True), (3, 2, False), (1, 1, True), (2, 1, False)]
)
def test_a_threshold_counts_the_keys_that_signed(cast: Cast, threshold: int, signers: int, trusted: bool) -> None:
    """5.4.2: of three keys of three kinds."""
    three = [SIGNERS[name] for name in ("p256", "ed25519", "mldsa65")]
    root = make_root(Cast(cast.root, cast.payload, cast.manifest, three))
    root.roles["timestamp"].threshold = threshold
    data = signed(make_timestamp(), three[:signers])
    if trusted:
        assert len(admit_timestamp(rooted(cast, root), data).timestamp.signers) == signers  # type: ignore[union-attr]
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(rooted(cast, root), data))


@pytest.mark.parametrize("more", [0, 1])
def test_a_threshold_above_the_number_of_keys_is_never_met(cast: Cast, more: int) -> None:
    """4.3."""
    root = make_root(cast)
    root.roles["timestamp"].threshold = len(cast.timestamp) + more
    data = signed(make_timestamp(), cast.timestamp)
    if more:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(rooted(cast, root), data))
    else:
        assert admit_timestamp(rooted(cast, root), data).timestamp


def test_a_hybrid_root_serves_a_client_that_knows_one_of_its_schemes(cast: Cast) -> None:
    """4.3, TAP 21: a key of tomorrow beside those of today, in root itself."""
    envelope = parse(signed(make_root(cast), []), source="root")
    body = envelope["signed"]
    body["keys"]["f" * 64] = {"keytype": "slh-dsa", "scheme": "slh-dsa-sha2-128s/1", "keyval": {"public": "x"}}
    body["roles"]["root"]["keyids"].insert(0, "f" * 64)
    assert trust_root(sealed(body, cast.root[:2]), NOW, PlainTuf()).root.value.version == 1
    refused("SIGNATURE-THRESHOLD", lambda: trust_root(sealed(body, cast.root[:1]), NOW, PlainTuf()))
