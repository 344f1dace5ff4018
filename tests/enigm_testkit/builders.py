"""Builders, reviewers and testers with keys of their own, and what they sign: SLSA and in-toto statements in DSSE."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.model.build_evidence import PROVENANCE, REVIEW, TEST_RESULT
from enigm_tuf.model.statement import PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding
from enigm_tuf.trust.build_evidence import Signer

REPOSITORY = "git+https://git.enigm.example/os"
REF = "refs/heads/release"
COMMIT = "1c0ffee0" * 5


@dataclass(frozen=True)
class Maker:
    """Somebody who signs statements."""

    id: str
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def public(self) -> str:
        """Base64 DER SubjectPublicKeyInfo."""
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(spki).decode()

    @property
    def signer(self) -> Signer:
        return Signer(self.id, (self.public,))

    def envelope(self, statement: dict[str, Any]) -> bytes:
        payload = json.dumps(statement).encode()
        signature = self.key.sign(pre_authentication_encoding(payload), ECDSA(SHA256()))
        return json.dumps(
            {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
            }
        ).encode()

    def provenance(self, files: dict[str, str], **changes: Any) -> bytes:
        """Of files by name, with their SHA-256; ``changes``: builder, repository, ref, commit."""
        said = {"builder": self.id, "repository": REPOSITORY, "ref": REF, "commit": COMMIT} | changes
        source = {"uri": f"{said['repository']}@{said['ref']}", "digest": {"gitCommit": said["commit"]}}
        toolchain = {"uri": "pkg:deb/debian/gcc@14", "digest": {"sha256": "ab" * 32}}
        predicate = {
            "buildDefinition": {
                "buildType": "https://enigm.example/build/v1",
                "externalParameters": {"lunch": "phone-user"},
                "resolvedDependencies": [toolchain, source],
            },
            "runDetails": {"builder": {"id": said["builder"]}, "metadata": {"invocationId": "1"}},
        }
        return self.envelope(_statement(PROVENANCE, [_file(*item) for item in files.items()], predicate))

    def review(self, commit: str = COMMIT, **changes: Any) -> bytes:
        """That two people agreed to a commit; ``changes`` replace members of the predicate."""
        predicate = {
            "verifier": {"id": self.id},
            "timeVerified": "2026-11-01T00:00:00Z",
            "resourceUri": REPOSITORY,
            "policy": {"uri": "https://enigm.example/review"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_SOURCE_LEVEL_4"],
        }
        subject = {"uri": REPOSITORY, "digest": {"gitCommit": commit}}
        return self.envelope(_statement(REVIEW, [subject], predicate | changes))

    def tests(self, digest: str, finished: datetime, **changes: Any) -> bytes:
        """That the file passed; ``changes`` replace members of the predicate."""
        predicate = {
            "result": "PASSED",
            "configuration": [{"name": "cts.xml", "digest": {"sha256": "cd" * 32}}],
            "passedTests": ["boot", "update"],
            "failedTests": [],
            "finishedOn": finished.isoformat(),
        }
        return self.envelope(_statement(TEST_RESULT, [_file("ota.zip", digest)], predicate | changes))


_LIBC = {"name": "libc", "SPDXID": "SPDXRef-libc", "downloadLocation": "NONE"}


def spdx(name: str, digest: str) -> bytes:
    """A bill of materials in SPDX 2.3 that describes the file."""
    checksums = [{"algorithm": "SHA1", "checksumValue": "0" * 40}, {"algorithm": "SHA256", "checksumValue": digest}]
    package = {"name": name, "SPDXID": "SPDXRef-ota", "downloadLocation": "NONE", "checksums": checksums}
    return json.dumps({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [package, _LIBC]}).encode()


def cyclonedx(name: str, digest: str) -> bytes:
    """A bill of materials in CycloneDX 1.6 that describes the file."""
    component = {"type": "operating-system", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "metadata": {"component": component},
            "components": [{"type": "library", "name": "libc"}],
        }
    ).encode()


def _statement(predicate_type: str, subject: list[dict[str, Any]], predicate: dict[str, Any]) -> dict[str, Any]:
    return {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": predicate_type, "predicate": predicate}


def _file(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}}
