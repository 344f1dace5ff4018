"""BUNDLE-SIGNATURE passes what rauc and swupdate accept, and refuses one difference."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.android.build import AndroidBuild
from enigm_testkit.android.given import passes, refuses, result_of, set_artifact_rules, with_artifacts
from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.bundles import make_rauc, make_swu
from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Verdict
from enigm_tuf_repository.inspection.plugins import inspect_file

Maker = Callable[[Path, SigningKey], Path]
MAKERS: dict[str, Maker] = {"rauc": make_rauc, "swupdate": make_swu}


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("bundles"), "bundles", "/O=Enigm/CN=Enigm bundles")


@pytest.fixture
def given(vendor: Vendor, context: GateContext, build: AndroidBuild, key: SigningKey) -> Callable[[Path], GateContext]:
    """A bundle before the gates, with ``key`` pinned."""
    set_artifact_rules(vendor.workspace, kinds=["rauc", "swupdate"], bundle_keys=[key.spki])
    return lambda bundle: with_artifacts(context, build, bundle)


@pytest.mark.rule("BUNDLE-SIGNATURE", "accept")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_signed_bundle_passes(
    given: Callable[[Path], GateContext], key: SigningKey, tmp_path: Path, kind: str
) -> None:
    bundle = MAKERS[kind](tmp_path / "made", key)

    assert passes(given(bundle), "BUNDLE-SIGNATURE").facts == {"signers": {bundle.name: key.spki}}
    assert inspect_file(bundle).kind == kind
    assert inspect_file(bundle).claims.version == "2026.11.1"


def test_what_the_gate_passes_the_makers_own_tools_verify(key: SigningKey, tmp_path: Path) -> None:
    rauc, swu = make_rauc(tmp_path / "rauc", key), make_swu(tmp_path / "swu", key)

    info = subprocess.run(["rauc", f"--keyring={key.certificate}", "info", str(rauc)], capture_output=True, check=False)
    assert info.returncode == 0, info.stderr
    assert _swupdate_takes(swu, key, tmp_path)
    assert not _swupdate_takes(swu, make_key(tmp_path, "stranger"), tmp_path)


def _swupdate_takes(swu: Path, key: SigningKey, folder: Path) -> bool:
    """Status 0, or an error: it can miss its own message that all is well, and then waits for ever, or ends with 1."""
    command = ["swupdate", "-c", "-i", str(swu), "-k", str(key.certificate), "-H", "enigm:1.0"]
    private = {**os.environ, "TMPDIR": str(folder)}  # its sockets have fixed names: two of it would meet
    for _ in range(10):
        with contextlib.suppress(subprocess.TimeoutExpired):
            checked = subprocess.run(command, capture_output=True, check=False, env=private, timeout=8)
            if checked.returncode == 0 or b"[ERROR]" in checked.stdout + checked.stderr:
                return checked.returncode == 0
    pytest.fail("swupdate came to no end in ten tries")


@pytest.mark.rule("BUNDLE-SIGNATURE", "reject")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_bundle_signed_by_another_key_is_refused(
    given: Callable[[Path], GateContext], tmp_path: Path, kind: str
) -> None:
    stranger = make_key(tmp_path, "stranger")
    bundle = MAKERS[kind](tmp_path / "made", stranger)

    said = refuses(given(bundle), "BUNDLE-SIGNATURE")
    assert said.endswith(f"signer: expected one of bundle_keys in repository.toml, got key {stranger.spki}")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_bundle_with_a_certificate_for_tests_is_refused(
    given: Callable[[Path], GateContext], tmp_path: Path, kind: str
) -> None:
    signer = make_key(tmp_path, "tests", "/CN=Test certificate of Enigm")
    bundle = MAKERS[kind](tmp_path / "made", signer)

    said = refuses(given(bundle), "BUNDLE-SIGNATURE")
    assert said.endswith("signer: expected a production certificate, got a subject with 'test certificate'")


@pytest.mark.parametrize("kind", MAKERS)
def test_one_byte_of_the_contents_is_refused(
    given: Callable[[Path], GateContext], key: SigningKey, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "made"
    bundle = make_rauc(folder, key) if kind == "rauc" else make_swu(folder, key, form="newc")  # has no checksums
    data = bytearray(bundle.read_bytes())
    data[20_000] ^= 1
    bundle.write_bytes(data)

    assert "expected a signature over these bytes" in refuses(given(bundle), "BUNDLE-SIGNATURE")


@pytest.mark.parametrize("form", ["newc", "crc"])
def test_an_image_that_is_not_the_one_of_the_description_is_refused(
    given: Callable[[Path], GateContext], key: SigningKey, tmp_path: Path, form: str
) -> None:
    bundle = make_swu(tmp_path / "made", key, sha256="0" * 64, form=form)

    said = refuses(given(bundle), "BUNDLE-SIGNATURE")
    assert "sha256: expected a signature over these bytes, got is not the one of sw-description" in said


def test_the_gate_does_not_apply_to_plain_files(given: Callable[[Path], GateContext], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"bytes")
    assert result_of(given(plain), "BUNDLE-SIGNATURE").verdict is Verdict.NOT_APPLICABLE
