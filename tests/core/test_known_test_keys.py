"""The deny list holds digests and names, and knows the keys that everybody means."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.test_keys import KNOWN_TEST_KEYS, TEST_MARKS, forbidden_mark, known_test_key

AOSP_TESTKEY = "ef57b690165cb561b5026922c00d2d6574e8b184fa7d161e076f06e06e6d35db"
RFC_9500_P256_POINT = bytes.fromhex(
    "04"
    "422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1"
    "6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272"
)


def test_the_deny_list_holds_lower_case_digests_and_names_only() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in KNOWN_TEST_KEYS)
    assert all(KNOWN_TEST_KEYS.values())


def test_no_key_falls_off_the_list_unseen() -> None:
    assert len(KNOWN_TEST_KEYS) == 79


def test_each_name_stands_for_one_key() -> None:
    assert len(set(KNOWN_TEST_KEYS.values())) == len(KNOWN_TEST_KEYS)


def test_nothing_takes_a_key_off_the_list() -> None:
    with pytest.raises(TypeError):
        del KNOWN_TEST_KEYS[AOSP_TESTKEY]  # type: ignore[attr-defined]


def test_the_digest_is_that_of_the_key_which_the_rfc_prints() -> None:
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), RFC_9500_P256_POINT)
    spki = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert known_test_key(sha256(spki)) == "RFC 9500 testECCP256"


def test_the_aosp_testkey_is_known_and_another_key_is_not() -> None:
    assert known_test_key(AOSP_TESTKEY) == "AOSP testkey"
    assert known_test_key("0" + AOSP_TESTKEY[1:]) is None


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("CN=DO NOT TRUST - AMI Test PK", "DO NOT TRUST"),
        ("CN=do_not.trust,O=Maker", "DO NOT TRUST"),
        ("CN=DO NOT SHIP", "DO NOT SHIP"),
        ("O=Maker,CN=Root (for testing only)", "FOR TESTING ONLY"),
        ("CN=Android Debug,O=Android,C=US", "ANDROID DEBUG"),
        ("CN=Latest only", None),
        ("CN=Trust,O=Test Maker", None),
        ("CN=enigm testkit PIV root", None),
    ],
)
def test_a_name_that_says_not_to_trust_it_is_taken_at_its_word(name: str, mark: str | None) -> None:
    assert forbidden_mark(name) == mark


def test_every_mark_says_where_it_was_seen_and_finds_itself() -> None:
    assert all(TEST_MARKS.values())
    assert all(forbidden_mark(f"CN={mark.lower()}") for mark in TEST_MARKS)
