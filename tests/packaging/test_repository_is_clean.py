"""What must never be in this repository, and what must be the same everywhere in it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = [ROOT / "pyproject.toml", ROOT / "client/pyproject.toml", ROOT / "repository/pyproject.toml"]
PRIVATE = re.compile(
    rb"-----BEGIN (RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}"
    rb"|-----BEGIN [P]GP PRIVATE KEY BLOCK"
    rb"|\x30.{1,4}\x02\x01\x00\x30.{1,20}\x2a\x86\x48\xce\x3d"  # PKCS#8 with an EC key, DER
    rb"|\x30.{1,4}\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",  # PKCS#8 with an RSA key, DER
    re.DOTALL,
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_private_key_is_in_the_repository() -> None:
    assert [path for path in tracked() if PRIVATE.search(path.read_bytes())] == []


def test_the_search_would_find_one() -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    for encoding in (form.Encoding.PEM, form.Encoding.DER):
        assert PRIVATE.search(key.private_bytes(encoding, form.PrivateFormat.PKCS8, form.NoEncryption()))


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
