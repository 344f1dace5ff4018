"""Fuzz targets: what builds say of themselves, and the scan for keys over whatever a release brings."""

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import lz4.block
import lz4.frame
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from enigm_testkit.builders import Maker, cyclonedx, spdx
from enigm_tuf.model.build_evidence import (
    PROVENANCE,
    REVIEW,
    BuildStatement,
    read_build_statement,
    read_provenance,
    read_review,
    read_test_result,
)
from enigm_tuf_repository.bills import read_bill
from enigm_tuf_repository.leaks.embedded import LZ4_LEGACY
from enigm_tuf_repository.leaks.scanning import Scan
from fuzz.artifacts import binary_mutator
from fuzz.mutators import json_mutator

Parts = tuple[Callable[[bytes], object], Callable[[], list[bytes]], Callable[[bytes, random.Random], bytes]]
SOURCE, DIGEST = "fuzz", "5" * 64


@cache
def maker() -> Maker:
    return Maker("https://a.example")


def run_statement(data: bytes) -> object:
    """``data`` is the statement: it is put into an envelope, which nobody signed."""
    envelope = {"payload": base64.b64encode(data).decode(), "payloadType": "application/vnd.in-toto+json"}
    signed = json.dumps({**envelope, "signatures": [{"sig": "AAAA"}]}).encode()
    return _read(read_build_statement(signed, SOURCE))


def _read(statement: BuildStatement) -> object:
    if statement.predicate_type == PROVENANCE:
        return read_provenance(statement)
    return read_review(statement) if statement.predicate_type == REVIEW else read_test_result(statement)


def envelope_seeds() -> list[bytes]:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return [maker().provenance({"ota.zip": DIGEST}), maker().review(), maker().tests(DIGEST, now)]


def statement_seeds() -> list[bytes]:
    return [base64.b64decode(json.loads(seed)["payload"]) for seed in envelope_seeds()]


def run_scan(data: bytes) -> object:
    scan = Scan()
    scan.data(data, SOURCE)
    return scan.found


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("key.pem", data)
    return buffer.getvalue()


@cache
def key_seeds() -> list[bytes]:
    p256, edwards, clear = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), NoEncryption()
    pem = p256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, clear)
    block = lz4.block.compress(pem, store_size=False)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43}
    return [
        pem,
        gzip.compress(pem),
        b"before" + gzip.compress(pem) + bz2.compress(pem),
        b"before" + lzma.compress(pem) + lz4.frame.compress(pem),
        b"before" + zstandard.compress(pem) + LZ4_LEGACY + struct.pack("<I", len(block)) + block,
        b"before" + _zipped(pem),
        p256.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, clear),
        edwards.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, clear),
        pkcs12.serialize_key_and_certificates(b"k", p256, None, None, clear),
        json.dumps({"keys": [jwk]}).encode(),
    ]


EVIDENCE: dict[str, Parts] = {
    "build-envelope": (lambda data: read_build_statement(data, SOURCE), envelope_seeds, json_mutator),
    "build-statement": (run_statement, statement_seeds, json_mutator),
    "bill-of-materials": (
        lambda data: read_bill(data, SOURCE),
        lambda: [spdx("ota.zip", DIGEST), cyclonedx("ota.zip", DIGEST)],
        json_mutator,
    ),
    "secret-scan": (run_scan, key_seeds, binary_mutator),
}
