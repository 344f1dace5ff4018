"""What the maker's attestation claims: each refusal differs from the accepted leaf in one thing.

The path from the leaf to the pinned root has tests of its own, in test_piv_attestation_chain.py.
"""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from enigm_testkit.attestation_ca import CSPN, FIPS, AttestationCa, certificate, common_name
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_people import attested
from enigm_tuf.authorities.tokens.attestation import read_claims, require_same_card, verify_attestation
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Algorithm, TokenIdentity

CA = AttestationCa()
ROOT = CA.root.public_bytes(Encoding.DER)
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SIGNER, OWN = CA.issue_card(1001)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = {3: bytes([5, 7, 0]), 7: b"\x02\x02\x03\xe9", 8: b"\x03\x02", 9: b"\x01"}


def chain(extensions: dict[int, bytes]) -> tuple[bytes, ...]:
    """What the card would say, with these extensions."""
    issuer = OWN.subject.rfc4514_string().removeprefix("CN=")
    leaf = certificate("9c", KEY.public_key(), issuer, SIGNER, ca=False, extensions=extensions)
    return leaf.public_bytes(Encoding.DER), OWN.public_bytes(Encoding.DER)


@pytest.mark.rule("TOKEN-ATTESTATION", "accept")
@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ed25519"])
def test_a_key_on_the_card_is_attested_to_its_makers_root(algorithm: Algorithm) -> None:
    certificates, spki = attested(VirtualPivCard(1001, attestation_ca=CA), algorithm)
    claims = verify_attestation(certificates, (ROOT,), spki, NOW)
    assert (claims.serial, claims.firmware, claims.pin_policy, claims.touch_policy) == (1001, (5, 7, 4), 3, 2)


def test_the_oldest_firmware_that_does_not_leak_is_taken() -> None:
    claims = verify_attestation(chain(GOOD), (ROOT,), SPKI, NOW)
    assert (claims.serial, claims.firmware, claims.form_factor) == (1001, (5, 7, 0), 1)


@pytest.mark.parametrize(
    ("number", "value", "says"),
    [
        (3, bytes([5, 6, 255]), r"firmware: expected 5\.7\.0 or newer .*got 5\.6\.255"),
        (8, b"\x02\x02", "PIN policy: .*got 2"),
        (8, b"\x01\x02", "PIN policy: .*got 1"),
        (8, b"\x03\x03", "touch policy: .*got 3"),
        (8, b"\x03\x01", "touch policy: .*got 1"),
        (3, b"\x05\x07", "wrong length"),
        (3, b"\x04\x03\x05\x07\x04", "wrong length"),  # as some write it: an OCTET STRING in the OCTET STRING
        (7, b"\x02\x03\x03\xe9", "no DER INTEGER"),
        (7, b"\x02\x02\x03\xe9\0", "no DER INTEGER"),
        (7, b"\x02\x03\0\x03\xe9", "no DER INTEGER"),  # one zero too many
        (7, b"\x02\x01\xe9", "no DER INTEGER"),  # negative
        (7, b"\x02\x81\x02\x03\xe9", "no DER INTEGER"),  # BER
        (7, b"\x04\x02\x03\xe9", "no DER INTEGER"),
        (7, b"\x02\x01\0", "no DER INTEGER above zero"),
        (7, b"", "no DER INTEGER"),
        (8, b"\x03\x02\0", "wrong length"),
        (8, b"\x03", "wrong length"),
        (9, b"", "wrong length"),
    ],
)
@pytest.mark.rule("TOKEN-ATTESTATION", "reject")
def test_one_extension_that_differs_is_refused(number: int, value: bytes, says: str) -> None:
    with pytest.raises(RefusedError, match=f"TOKEN-ATTESTATION.*{says}"):
        verify_attestation(chain(GOOD | {number: value}), (ROOT,), SPKI, NOW)


@pytest.mark.parametrize("number", sorted(GOOD))
def test_a_missing_extension_is_refused(number: int) -> None:
    less = {other: value for other, value in GOOD.items() if other != number}
    with pytest.raises(RefusedError, match=rf"no extension 1\.3\.6\.1\.4\.1\.41482\.3\.{number}"):
        verify_attestation(chain(less), (ROOT,), SPKI, NOW)


def test_an_attestation_of_another_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION: attested key: expected the key that is enrolled"):
        verify_attestation(
            chain(GOOD), (ROOT,), other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), NOW
        )


def test_no_chain_is_refused() -> None:
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION: chain: expected an attestation certificate, got none"):
        verify_attestation((), (ROOT,), SPKI, NOW)


@pytest.mark.parametrize(
    ("form", "certified", "described", "fips"),
    [
        (0x01, (), ("USB-A keychain", "none"), False),
        (0x82, (), ("USB-A nano", "FIPS"), True),
        (0x03, (FIPS,), ("USB-C keychain", "FIPS"), True),
        (0x04, (CSPN,), ("USB-C nano", "CSPN"), False),
        (0x85, (FIPS, CSPN), ("USB-C and Lightning", "FIPS, CSPN"), True),
        (0x0E, (), ("unknown (0x0e)", "none"), False),
    ],
)
def test_form_and_certification_are_told_in_words(
    form: int, certified: tuple[int, ...], described: tuple[str, str], fips: bool
) -> None:
    """The model's certificates stand in the card's own certificate, FIPS in the form as well."""
    signer, own = CA.issue_card(1001, *certified)
    leaf = certificate("9c", KEY.public_key(), common_name(own), signer, ca=False, extensions=GOOD | {9: bytes([form])})
    claims = read_claims((leaf.public_bytes(Encoding.DER), own.public_bytes(Encoding.DER)))
    words = claims.described()
    assert (words["attested_form_factor"], words["attested_certification"]) == described
    assert (claims.fips, claims.cspn) == (fips, CSPN in certified)
    assert list(words.values())[:4] == ["1001", "5.7.0", "always", "always"]


def test_how_an_authority_above_the_card_is_certified_says_nothing_of_the_card() -> None:
    _, marked = CA.issue_card(1002, FIPS, CSPN)
    claims = read_claims((*chain(GOOD), marked.public_bytes(Encoding.DER)))
    assert (claims.fips, claims.cspn) == (False, False)


CARD = TokenIdentity("piv", "Yubico", "YubiKey PIV", "1001", "5.7.0", "card 1001")


@pytest.mark.rule("TOKEN-ATTESTED-CARD", "accept")
def test_the_card_that_is_attested_is_taken() -> None:
    require_same_card(read_claims(chain(GOOD)), CARD)


@pytest.mark.rule("TOKEN-ATTESTED-CARD", "reject")
@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (replace(CARD, serial="1002"), "attested serial: expected 1002, got 1001"),
        (replace(CARD, firmware="5.7.4"), r"attested firmware: expected 5\.7\.4, got 5\.7\.0"),
    ],
)
def test_another_card_than_the_attested_one_is_refused(odd: TokenIdentity, says: str) -> None:
    with pytest.raises(RefusedError, match=f"TOKEN-ATTESTED-CARD: card 1001, {says}"):
        require_same_card(read_claims(chain(GOOD)), odd)


MAKERS_8, MAKERS_9 = (bytes.fromhex(f"060a2b0601040182c40a030{number}") for number in (8, 9))
VERSION_3, VERSION_6 = bytes.fromhex("a003020102"), bytes.fromhex("a003020105")


def foreign_parent() -> bytes:
    """An authority that did not sign the leaf: it is read before that is found out."""
    return certificate("own", SIGNER.public_key(), "root", SIGNER, ca=True, extensions=GOOD).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"", b"", "CHAIN: signature: expected signed by"),
        (MAKERS_9, MAKERS_8, ": chain: expected certificates that parse"),  # one extension twice
        (VERSION_3, VERSION_6, ": chain: expected certificates that parse"),  # a version that there is not
    ],
)
def test_a_certificate_that_libraries_stumble_over_is_no_crash(old: bytes, new: bytes, says: str) -> None:
    """cryptography's own exceptions for these are no ValueErrors."""
    odd = foreign_parent().replace(old, new, 1)
    with pytest.raises(RefusedError, match=f"TOKEN-ATTESTATION.*{says}"):
        verify_attestation((chain(GOOD)[0], odd), (ROOT,), SPKI, NOW)


def test_a_name_of_a_kind_that_nobody_uses_is_no_crash() -> None:
    x400_address = x509.UnrecognizedExtension(x509.OID_SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3002a300"))
    name = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, "own")])
    odd = (
        x509.CertificateBuilder(name, name, SIGNER.public_key(), serial_number=1)
        .not_valid_before(OWN.not_valid_before_utc)
        .not_valid_after(OWN.not_valid_after_utc)
        .add_extension(x400_address, critical=False)
    )
    data = odd.sign(SIGNER, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION: chain: expected certificates that parse"):
        verify_attestation((chain(GOOD)[0], data), (ROOT,), SPKI, NOW)


def test_a_negative_serial_number_decides_nothing_and_warns_nobody() -> None:
    data = foreign_parent()
    start = data.index(VERSION_3) + len(VERSION_3) + 2  # after tag and length of the serial number
    negative = data[:start] + b"\x80" + data[start + 1 :]
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: signature: expected signed by"):
        verify_attestation((chain(GOOD)[0], negative), (ROOT,), SPKI, NOW)


@cache
def good_chain() -> tuple[bytes, ...]:
    return chain(GOOD)


def flipped(data: bytes, position: int, bits: int) -> bytes:
    position %= len(data)
    return data[:position] + bytes([data[position] ^ bits]) + data[position + 1 :]


CHANGES: list[Callable[[bytes, int, int], bytes]] = [flipped, lambda data, position, _: data[: position % len(data)]]


@given(
    which=st.integers(0, 1),
    change=st.sampled_from(CHANGES),
    position=st.integers(0, 2000),
    bits=st.integers(1, 255),
)
def test_no_changed_byte_crashes_or_says_something_else(
    which: int, change: Callable[[bytes, int, int], bytes], position: int, bits: int
) -> None:
    """DER leaves room: the count of unused bits of a signature can change, and the signed claims stay what they are."""
    certificates = list(good_chain())
    certificates[which] = change(certificates[which], position, bits)
    with contextlib.suppress(RefusedError):
        assert verify_attestation(tuple(certificates), (ROOT,), SPKI, NOW) == verify_attestation(
            good_chain(), (ROOT,), SPKI, NOW
        )
