"""What must never be in this repository, and what must be the same everywhere in it."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ROOT = Path(__file__).parents[2]
PROJECTS = [ROOT / "pyproject.toml", ROOT / "client/pyproject.toml", ROOT / "repository/pyproject.toml"]
PRIVATE = re.compile(
    rb"-----BEGIN (RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}"
    rb"|-----BEGIN [P]GP PRIVATE KEY BLOCK"
    rb"|\x30.{1,4}\x02\x01\x00\x30.{1,20}\x2a\x86\x48\xce\x3d"  # PKCS#8 with an EC key, DER
    rb"|\x30.{1,4}\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"  # PKCS#8 with an RSA key, DER
    rb"|\x30.{1,4}\x02\x01\x00\x30\x05\x06\x03\x2b\x65[\x70\x71]"  # PKCS#8 with an Ed25519 or Ed448 key, DER
    rb"|\x30.{1,3}\x02\x01\x01\x04[\x20\x30\x42]"  # an EC key as SEC 1 writes it, DER
    rb"|\x30\x82..\x02\x01\x00\x02\x82",  # an RSA key as PKCS#1 writes it, DER
    re.DOTALL,
)
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
KEYS: dict[str, tuple[Callable[[], PrivateKeyTypes], PrivateFormat]] = {
    "P-256 in PKCS#8": (lambda: ec.generate_private_key(ec.SECP256R1()), PKCS8),
    "P-256 in SEC 1": (lambda: ec.generate_private_key(ec.SECP256R1()), TRADITIONAL),
    "P-384 in PKCS#8": (lambda: ec.generate_private_key(ec.SECP384R1()), PKCS8),
    "P-384 in SEC 1": (lambda: ec.generate_private_key(ec.SECP384R1()), TRADITIONAL),
    "Ed25519 in PKCS#8": (ed25519.Ed25519PrivateKey.generate, PKCS8),
    "RSA in PKCS#8": (lambda: rsa.generate_private_key(65537, 2048), PKCS8),
    "RSA in PKCS#1": (lambda: rsa.generate_private_key(65537, 2048), TRADITIONAL),
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_private_key_is_in_the_repository() -> None:
    assert [path for path in tracked() if PRIVATE.search(path.read_bytes())] == []


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["PEM", "DER"])
@pytest.mark.parametrize("name", KEYS)
def test_the_search_would_find_one(name: str, encoding: Encoding) -> None:
    make, form = KEYS[name]
    assert PRIVATE.search(b"before" + make().private_bytes(encoding, form, NoEncryption()) + b"after")


def test_no_token_object_is_in_the_repository() -> None:
    assert [path for path in tracked() if path.suffix in {".object", ".p12", ".pfx", ".key"}] == []


def test_only_the_checking_packages_hold_the_seal() -> None:
    users = {
        str(path.relative_to(ROOT).parent)
        for path in tracked()
        if path.suffix == ".py" and "tests" not in path.parts and "import SEAL" in path.read_text()
    }
    assert users == {"enigm_tuf/trust", "enigm_tuf/policy"}


def test_the_three_distributions_have_one_version_and_pin_it() -> None:
    projects = [tomllib.loads(path.read_text())["project"] for path in PROJECTS]
    (version,) = {project["version"] for project in projects}
    for project in projects[1:]:
        ours = [item for item in project["dependencies"] if item.startswith("enigm-tuf")]
        assert ours
        assert all(item.endswith(f"=={version}") for item in ours)


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_every_distribution_says_its_licence(path: Path) -> None:
    assert tomllib.loads(path.read_text())["project"]["license"] == "Apache-2.0"
