"""PIV attestation: the maker's certificate chain that says how a key was made (slot f9, arcs 1.3.6.1.4.1.41482.3).

What it proves: the key was made on a card of that maker with these policies. What it does not: that the card is in
the right hands. Cards of one batch share the key that attests, so the serial number in the leaf says which card.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.authorities.tokens.attestation_chain import UNREADABLE, load, require_path
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.keys import KeyRecord, record_key
from enigm_tuf.model.public_keys import spki_of
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import TokenIdentity
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.test_keys import forbidden_mark, known_test_key

_ARC = "1.3.6.1.4.1.41482.3"
FIRMWARE, SERIAL, POLICIES, FORM_FACTOR, FIPS, CSPN = (
    x509.ObjectIdentifier(f"{_ARC}.{number}") for number in (3, 7, 8, 9, 10, 11)
)
"""The first four stand in the leaf, FIPS and CSPN in the card's own certificate (Yubico, PIV attestation)."""
ALWAYS_PIN, ALWAYS_TOUCH = 3, 2
_PIN_WORDS = {1: "never", 2: "once", 3: "always"}
_TOUCH_WORDS = {1: "never", 2: "always", 3: "cached"}
_FORMS = {
    1: "USB-A keychain",
    2: "USB-A nano",
    3: "USB-C keychain",
    4: "USB-C nano",
    5: "USB-C and Lightning",
    6: "USB-A bio",
    7: "USB-C bio",
}
_FIPS_BIT, _FORM_BITS = 0x80, 0x0F
OLDEST_FIRMWARE = (5, 7, 0)  # CVE-2024-45678: older ones leak ECDSA keys to who holds the card


@dataclass(frozen=True, slots=True)
class AttestationClaims:
    """What the leaf says, and the card's own certificate of its model. Policies and form are the maker's numbers."""

    serial: int
    firmware: tuple[int, int, int]
    pin_policy: int
    touch_policy: int
    form_factor: int
    fips: bool
    cspn: bool

    def described(self) -> dict[str, str]:
        """In words, for people."""
        certified = ["FIPS"] * self.fips + ["CSPN"] * self.cspn
        return {
            "attested_serial": str(self.serial),
            "attested_firmware": _dotted(self.firmware),
            "attested_pin_policy": _PIN_WORDS.get(self.pin_policy, str(self.pin_policy)),
            "attested_touch_policy": _TOUCH_WORDS.get(self.touch_policy, str(self.touch_policy)),
            "attested_form_factor": _FORMS.get(self.form_factor & _FORM_BITS, f"unknown ({self.form_factor:#04x})"),
            "attested_certification": ", ".join(certified) or "none",
        }


def verify_attestation(
    chain: tuple[bytes, ...], roots: tuple[bytes, ...], expected_spki: bytes, now: datetime
) -> AttestationClaims:
    """The claims, if ``chain`` (DER, leaf first) leads to one of the pinned ``roots`` and attests that very key.

    RefusedError TOKEN-ATTESTATION: no chain, another key, PIN or touch not always, old firmware;
    TOKEN-ATTESTATION-CHAIN: no path to a pinned root at ``now``; TEST-KEY: a certificate that says not to trust it, or
    whose key the world knows.
    """
    try:
        certificates = _certificates(chain)
        require_path(certificates, load(roots), now)
        _require_no_test_keys((*certificates, *load(roots)))
        claims = _claims(certificates)
        spki = certificates[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE as error:
        raise _unreadable(error) from error
    if spki != expected_spki:
        _refuse("attested key", "the key that is enrolled", "another key")
    _require_policies(claims)
    return claims


def read_claims(chain: tuple[bytes, ...]) -> AttestationClaims:
    """What ``chain`` says, BELIEVED WITHOUT A CHECK: for showing. RefusedError TOKEN-ATTESTATION."""
    try:
        return _claims(_certificates(chain))
    except UNREADABLE as error:
        raise _unreadable(error) from error


def require_same_card(claims: AttestationClaims, identity: TokenIdentity) -> None:
    """RefusedError TOKEN-ATTESTED-CARD unless the card's own serial number and firmware are those attested."""
    attested = {"serial": str(claims.serial), "firmware": _dotted(claims.firmware)}
    for what, got in attested.items():
        expected: str = getattr(identity, what)
        if got != expected:
            raise RefusedError(
                TokenRule.TOKEN_ATTESTED_CARD, f"{identity.label}, attested {what}", expected=expected, got=got
            )


def certificates_of(record: KeyRecord) -> tuple[bytes, ...]:
    """The record's chain in DER, leaf first; MalformedError."""
    try:
        return tuple(b64decode(certificate) for certificate in record.attestation)
    except ValueError as error:
        raise MalformedError(f"record of key {record.keyid}", "attestation", "must be base64") from error


def verify_record(record: KeyRecord, roots: tuple[bytes, ...]) -> AttestationClaims:
    """What enrolment checked, checked again by whoever gets the record: the chain, its key, its card.

    At the time of enrolment, as the record tells it. RefusedError, MalformedError.
    """
    spki, token = spki_of(record_key(record)), record.token
    claims = verify_attestation(certificates_of(record), roots, spki, record.enrolled)
    identity = (record.home, token.manufacturer, token.model, token.serial, token.firmware, f"card {token.serial}")
    require_same_card(claims, TokenIdentity(*identity))
    return claims


def _certificates(chain: tuple[bytes, ...]) -> list[x509.Certificate]:
    if not chain:
        _refuse("chain", "an attestation certificate", "none")
    return load(chain)


def _claims(certificates: list[x509.Certificate]) -> AttestationClaims:
    leaf = certificates[0]
    firmware, policies = _extension(leaf, FIRMWARE), _extension(leaf, POLICIES)
    serial, form = _extension(leaf, SERIAL), _extension(leaf, FORM_FACTOR)
    if [len(firmware), len(policies), len(form)] != [3, 2, 1]:
        raise ValueError("an extension of the attestation has the wrong length")
    marks = {extension.oid for card in certificates[1:2] for extension in card.extensions}
    return AttestationClaims(
        serial=_serial(serial),
        firmware=(firmware[0], firmware[1], firmware[2]),
        pin_policy=policies[0],
        touch_policy=policies[1],
        form_factor=form[0],
        fips=bool(form[0] & _FIPS_BIT) or FIPS in marks,
        cspn=CSPN in marks,
    )


def _serial(data: bytes) -> int:
    """A DER INTEGER, above zero and in its one encoding (X.690 section 8.3.2)."""
    value = int.from_bytes(data[2:], "big")
    if value == 0 or data != bytes([2, value.bit_length() // 8 + 1]) + value.to_bytes(
        value.bit_length() // 8 + 1, "big"
    ):
        raise ValueError("the serial number of the attestation is no DER INTEGER above zero")
    return value


def _extension(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    try:
        value = leaf.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound as error:
        raise ValueError(f"no extension {oid.dotted_string}") from error
    if not isinstance(value, x509.UnrecognizedExtension):
        raise ValueError(f"extension {oid.dotted_string} is not the maker's")  # noqa: TRY004 - a certificate's fault
    return value.value


def _require_no_test_keys(certificates: tuple[x509.Certificate, ...]) -> None:
    """TEST-KEY: the pinned roots too, in every environment."""
    for certificate in certificates:
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = (certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string())
        found = next(filter(None, (known_test_key(sha256(spki)), *map(forbidden_mark, names))), None)
        if found:
            raise RefusedError(
                AuthorityRule.TEST_KEY,
                f"attestation certificate {names[0]}",
                expected="a key that is the maker's alone",
                got=found,
            )


def _require_policies(claims: AttestationClaims) -> None:
    if claims.pin_policy != ALWAYS_PIN:
        _refuse("PIN policy", f"{ALWAYS_PIN} (always)", str(claims.pin_policy))
    if claims.touch_policy != ALWAYS_TOUCH:
        _refuse("touch policy", f"{ALWAYS_TOUCH} (always)", str(claims.touch_policy))
    if claims.firmware < OLDEST_FIRMWARE:
        _refuse("firmware", "5.7.0 or newer (CVE-2024-45678)", _dotted(claims.firmware))


def _dotted(firmware: tuple[int, int, int]) -> str:
    return ".".join(map(str, firmware))


def _unreadable(error: Exception) -> RefusedError:
    return RefusedError(TokenRule.TOKEN_ATTESTATION, "chain", expected="certificates that parse", got=str(error))


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(TokenRule.TOKEN_ATTESTATION, subject, expected=expected, got=got)
