"""The wheels as a vendor gets them: a device's environment holds the client alone, and that is enough to update."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli.serve import make_server

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
PAGE = ROOT / "docs" / "howto" / "embed-the-client.md"
CLOSURE = {"enigm-tuf", "enigm-tuf-client", "cryptography", "cffi", "pycparser"}


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment that holds the client's own wheels."""
    folder = tmp_path_factory.mktemp("device")
    run(UV, "build", "--all-packages", "--wheel", "--out-dir", folder / "wheels", cwd=ROOT)
    wheels = {path.name.split("-")[0]: path for path in (folder / "wheels").glob("*.whl")}
    assert set(wheels) == {"enigm_tuf", "enigm_tuf_client", "enigm_tuf_repository"}
    run(UV, "venv", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    run(UV, "pip", "install", "--python", python, wheels["enigm_tuf"], wheels["enigm_tuf_client"], cwd=folder)
    return folder / "venv/bin"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    vendor = make_vendor(tmp_path / "vendor").opened()
    vendor.publish(vendor.prepare_release("1.0"))
    return vendor


@pytest.fixture
def url(vendor: Vendor) -> Iterator[str]:
    server = make_server(vendor.published, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_a_devices_environment_holds_the_client_and_cryptography_alone(device: Path, tmp_path: Path) -> None:
    listed = run(UV, "pip", "freeze", "--python", device / "python", cwd=tmp_path)
    assert {re.split(r"[ =@]", line)[0] for line in listed.splitlines()} <= CLOSURE
    assert "install" in run(device / "enigm-update", "--help", cwd=tmp_path)
    missing = subprocess.run(
        [device / "enigm-sign", "token", "list", "--piv"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "pip install 'enigm-tuf[piv]'" in missing.stderr


@pytest.mark.slow
def test_the_thirty_lines_of_the_howto_update_a_device(device: Path, vendor: Vendor, url: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code.count("\n") <= 30
    (tmp_path / "embed.py").write_text(code)
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "root.json").write_bytes((vendor.published / "metadata/1.root.json").read_bytes())
    said = run(device / "python", tmp_path / "embed.py", url, folder, cwd=tmp_path)
    assert said.splitlines()[-1] == "1.0 installed"
    assert (folder / "slots/current/version").read_text() == "1.0 BUILD.1.0\n"
    again = subprocess.run(
        [device / "python", tmp_path / "embed.py", url, folder], capture_output=True, text=True, check=False
    )
    assert again.stderr.strip() == "up to date: 1.0 is installed"


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
