"""The wheels as a vendor gets them: a device's environment holds the client alone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
FORBIDDEN = ("pkcs11", "yubikit", "ykman", "smartcard", "enigm_tuf_repository")
PROBE = f"""
import importlib.util
import enigm_tuf_client.updater
print([name for name in {FORBIDDEN!r} if importlib.util.find_spec(name)])
"""


@pytest.mark.slow
def test_the_clients_wheels_alone_make_a_device(tmp_path: Path) -> None:
    run(UV, "build", "--all-packages", "--wheel", "--out-dir", tmp_path / "wheels", cwd=ROOT)
    wheels = {path.name.split("-")[0]: path for path in (tmp_path / "wheels").glob("*.whl")}
    assert set(wheels) == {"enigm_tuf", "enigm_tuf_client", "enigm_tuf_repository"}
    python = tmp_path / "device" / "bin" / "python"
    run(UV, "venv", "--python", sys.executable, tmp_path / "device", cwd=tmp_path)
    run(UV, "pip", "install", "--python", python, wheels["enigm_tuf"], wheels["enigm_tuf_client"], cwd=tmp_path)
    assert run(python, "-c", PROBE, cwd=tmp_path).strip() == "[]"
    assert "install" in run(tmp_path / "device" / "bin" / "enigm-update", "--help", cwd=tmp_path)
    missing = subprocess.run(
        [tmp_path / "device/bin/enigm-sign", "token", "list", "--piv"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "pip install 'enigm-tuf[piv]'" in missing.stderr


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
