"""Make this machine ready: Debian packages, uv, .venv. Needs only python3 3.11 or newer, and the registries.

Run by make. Does nothing, fast, when all is there.
"""

from __future__ import annotations  # an older Python must get as far as being told so

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "enigm-tuf-stamp"
LOCKED = ("uv.lock", "pyproject.toml", "client/pyproject.toml", "repository/pyproject.toml", "scripts/set_up.py")

PACKAGES = {
    "softhsm2": "the HSM of the tests and the demo, through PKCS#11",
    "pcscd": "the smart card daemon that the virtual PIV cards are plugged into",
    "vsmartcard-vpcd": "the virtual card reader for pcscd",
    "libpcsclite-dev": "headers for pyscard, which has no Linux wheel",
    "swig": "builds pyscard",
    "gcc": "builds pyscard",
    "libc6-dev": "builds pyscard",
    "e2fsprogs": "mke2fs, which makes the ext4 images of the tests and the demo, and debugfs, which reads them",
    "erofs-utils": "mkfs.erofs, which makes EROFS images",
    "squashfs-tools": "mksquashfs, for squashfs images and for rauc",
    "f2fs-tools": "mkfs.f2fs; images that the scan for keys must refuse, as the next three",
    "btrfs-progs": "mkfs.btrfs",
    "mtd-utils": "mkfs.ubifs, ubinize, mkfs.jffs2",
    "util-linux-extra": "mkfs.cramfs",
    "p7zip-full": "7z, which makes archives that are not opened",
    "cpio": "makes ramdisks and SWUpdate images",
    "lz4": "packs ramdisks",
    "mkbootimg": "makes boot images",
    "android-sdk-libsparse-utils": "img2simg, which makes sparse images",
    "cryptsetup-bin": "veritysetup, which makes the hash trees of verified boot",
    "protobuf-compiler": "protoc, which encodes the metadata of update packages",
    "signapk": "signs update packages, as Android's build does",
    "rauc": "makes and signs RAUC bundles",
    "swupdate": "checks SWUpdate images",
    "opensc": "pkcs11-tool and pkcs15-tool, foreign clients of the virtual card",
    "opensc-pkcs11": "a foreign PKCS#11 module for PIV cards",
    "ykcs11": "the maker's PKCS#11 module for PIV cards",
    "yubico-piv-tool": "the maker's tool for PIV cards",
    "p11-kit": "an HSM across a socket, and a proxy for modules that want arguments",
    "p11-kit-modules": "its PKCS#11 modules",
    "swtpm": "the TPM of the tests",
    "swtpm-tools": "swtpm_setup, which makes it",
    "libtpm2-pkcs11-1": "PKCS#11 on a TPM",
    "libtss2-tcti-swtpm0": "its way to the software TPM",
    "libnss3-tools": "certutil, which makes the database of NSS, a PKCS#11 module",
    "nginx-light": "the CDN of the tests",
}


def main() -> int:
    """Returns the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older Python is told so
        print(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in LOCKED)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest:
        return 0
    if not install_packages(missing_packages()):
        return 2
    make_venv()
    STAMP.write_text(digest)
    return 0


def needed_packages() -> dict[str, str]:
    """PACKAGES, and the parts of this very Python that Debian ships apart; each with what it is for."""
    python = f"python3.{sys.version_info.minor}"
    apart = {}
    if importlib.util.find_spec("ensurepip") is None:
        apart[f"{python}-venv"] = "makes .venv"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        apart[f"{python}-dev"] = "headers for pyscard, which has no Linux wheel"
    return PACKAGES | apart


def missing_packages() -> dict[str, str]:
    """Those needed that dpkg does not list as installed; all of them where there is no dpkg to ask."""
    needed = needed_packages()
    if shutil.which("dpkg-query") is None:
        return needed
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *needed]
    listed = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in listed.splitlines() if line.split()[1:] == ["ii"]}
    return {name: purpose for name, purpose in needed.items() if name not in installed}


def install_packages(packages: dict[str, str]) -> bool:
    """apt-get as root, or through sudo without a password; else say the command to run."""
    if not packages:
        return True
    for name, purpose in packages.items():
        print(f"needs {name}: {purpose}", flush=True)
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    prefix = privileged_prefix()
    if prefix is None:
        print(f"error: not allowed to install packages here\nhint: run: sudo {' '.join(command)}", file=sys.stderr)
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-q"], command):
        if subprocess.run([*prefix, *step], env=environment, check=False, stdout=subprocess.DEVNULL).returncode:
            print(f"error: failed: {' '.join([*prefix, *step])}", file=sys.stderr)
            return False
    return True


def privileged_prefix() -> list[str] | None:
    """What to put before apt-get; None where nothing helps."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def make_venv() -> None:
    """.venv with uv in it, then everything that uv.lock says."""
    if not (VENV / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        subprocess.run([str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "uv"], check=True)
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(VENV)}
    subprocess.run([str(uv), "sync", "-q", "--frozen", "--inexact"], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        print(f"error: failed: {' '.join(failure.cmd)}", file=sys.stderr)
        sys.exit(2)
