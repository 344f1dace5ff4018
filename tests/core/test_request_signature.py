"""A device's signed request: read by a library that we did not write, and judged as a service judges it."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

from enigm_testkit.people import FixedClock
from enigm_tuf.clock import NoClock
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.model.http_signature import HttpRequest, SignatureParameters, signature_base, signature_fields
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceClock
from enigm_tuf.trust.request_signature import SignedRequest, verify_request
from enigm_tuf_client.request_signing import KeyFile, SignedRequests

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS: dict[str, tuple[Any, Any]] = {
    "ed25519": (Ed25519PrivateKey.generate(), algorithms.ED25519),
    "ecdsa-p256-sha256": (generate_private_key(SECP256R1()), algorithms.ECDSA_P256_SHA256),
    "ecdsa-p384-sha384": (generate_private_key(SECP384R1()), algorithms.ECDSA_P384_SHA384),
}


def key_file(folder: Path, algorithm: str) -> KeyFile:
    key = KINDS[algorithm][0]
    file = folder / "device.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return KeyFile(file, "device-1")


def spki(algorithm: str) -> bytes:
    data: bytes = KINDS[algorithm][0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return data


def signed(
    folder: Path, algorithm: str = "ed25519", clock: DeviceClock | None = None, *, evidence: bool = True
) -> HttpRequest:
    """A request for a part of a payload, as the fetcher sends it."""
    signer = SignedRequests(
        key_file(folder, algorithm), clock or FixedClock(NOW), (lambda: b"what the chip says") if evidence else None
    )
    fields = {"range": "bytes=0-99"}
    path = "/os/targets/payloads/phone/1.0/a%20b"
    return HttpRequest(
        "GET", "Updates.Example:8443", path, {**fields, **signer.fields("Updates.Example:8443", path, fields)}
    )


def judged(request: HttpRequest, algorithm: str = "ed25519", now: datetime = NOW, **rest: bool) -> SignedRequest:
    return verify_request(request, {"device-1": spki(algorithm)}, now, HOUR, **rest)


@pytest.mark.parametrize("algorithm", KINDS)
def test_another_implementation_of_rfc_9421_verifies_what_a_device_signs(tmp_path: Path, algorithm: str) -> None:
    request = signed(tmp_path, algorithm, FixedClock(datetime.now(UTC)))
    url = f"https://{request.authority}{request.path}"
    message = SimpleNamespace(method=request.method, url=url, headers=dict(request.fields))

    class Keys(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> object:
            assert key_id == "device-1"
            return KINDS[algorithm][0].public_key()

    verifier = HTTPMessageVerifier(signature_algorithm=KINDS[algorithm][1], key_resolver=Keys())
    (result,) = verifier.verify(message, max_age=HOUR)
    covered = {str(name).strip('"') for name in result.covered_components}
    assert covered >= {"@method", "@authority", "@path", "range", "attestation-evidence"}


@pytest.mark.rule("REQUEST-SIGNATURE", "accept")
@pytest.mark.parametrize("algorithm", KINDS)
def test_a_request_signed_by_an_enrolled_key_says_who_asks(tmp_path: Path, algorithm: str) -> None:
    for offset in (-HOUR, HOUR):
        found = judged(signed(tmp_path, algorithm), algorithm, NOW + offset)
        assert (found.keyid, found.created) == ("device-1", NOW)


@pytest.mark.rule("REQUEST-SIGNATURE", "reject")
@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"authority": "other.example"},
        {"path": "/os/targets/payloads/phone/1.0/b"},
        {"range": "bytes=0-98"},
        {"attestation-evidence": ":YQ==:"},
    ],
    ids=str,
)
def test_a_request_that_differs_from_the_signed_one_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    request = signed(tmp_path)
    own = {name: value for name, value in change.items() if name in {"method", "authority", "path"}}
    fields = {**request.fields, **{name: value for name, value in change.items() if name not in own}}
    with pytest.raises(RefusedError, match="does not verify") as refusal:
        judged(replace(request, fields=fields, **own))
    assert refusal.value.rule == "REQUEST-SIGNATURE"


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_request_is_good_for_its_time_and_not_a_second_longer(tmp_path: Path, seconds: int) -> None:
    with pytest.raises(RefusedError, match="REQUEST-SIGNATURE"):
        judged(signed(tmp_path), now=NOW + seconds * (HOUR + timedelta(seconds=1)))


def test_a_time_beyond_all_calendars_is_refused(tmp_path: Path) -> None:
    request = HttpRequest("GET", "a", "/b", {})
    parameters = SignatureParameters(10**15 - 1, "device-1", "ed25519", "0" * 32)
    made = key_file(tmp_path, "ed25519").sign(signature_base(request, parameters))
    with pytest.raises(RefusedError, match="REQUEST-SIGNATURE"):
        judged(replace(request, fields=signature_fields(request, parameters, made)))


def test_an_ecdsa_signature_has_one_length(tmp_path: Path) -> None:
    """A zero before s is the same number, and would be a second signature of the same request."""
    request = signed(tmp_path, "ecdsa-p256-sha256")
    made = b64decode(request.fields["signature"].removeprefix("enigm=:").removesuffix(":"))
    longer = b64encode(made[:32] + b"\0" + made[32:]).decode()
    with pytest.raises(RefusedError, match="does not verify"):
        judged(replace(request, fields={**request.fields, "signature": f"enigm=:{longer}:"}), "ecdsa-p256-sha256")


def test_a_key_of_nobody_and_an_algorithm_of_another_kind_are_refused(tmp_path: Path) -> None:
    request = signed(tmp_path)
    with pytest.raises(RefusedError, match="keyid 'device-1'"):
        verify_request(request, {"device-2": spki("ed25519")}, NOW, HOUR)
    with pytest.raises(RefusedError, match="expected the algorithm of key device-1, got ed25519"):
        judged(request, "ecdsa-p256-sha256")


def test_a_device_without_a_clock_is_heard_where_the_service_says_so(tmp_path: Path) -> None:
    request = signed(tmp_path, clock=NoClock())
    with pytest.raises(RefusedError, match="got none"):
        judged(request)
    assert judged(request, clockless=True).created is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signature-input", ""),
        ("signature", "enigm=:YQ=="),
        ("signature", "other=:YQ==:"),
        ("signature-input", 'enigm=("@method" "@path");created=1;keyid="a";alg="ed25519";nonce="'),
    ],
)
def test_fields_of_another_form_are_malformed(tmp_path: Path, name: str, value: str) -> None:
    request = signed(tmp_path)
    with pytest.raises(MalformedError, match=f"request: {name}: must be one signature"):
        judged(replace(request, fields={**request.fields, name: value}))


def test_a_signature_must_cover_the_evidence_that_is_sent(tmp_path: Path) -> None:
    request = signed(tmp_path, evidence=False)
    with pytest.raises(MalformedError, match="must cover"):
        judged(replace(request, fields={**request.fields, "attestation-evidence": ":YQ==:"}))


def test_a_key_file_that_holds_no_such_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "device.pem"
    file.write_bytes(b"-----BEGIN NOTHING-----")
    with pytest.raises(MisuseError, match=r"device\.pem: not a PEM private key"):
        KeyFile(file, "device-1")
