"""RAUC bundles made by rauc, and SWUpdate images made by cpio and openssl, as their manuals say."""

import hashlib
import random
import subprocess
from pathlib import Path

from enigm_testkit.android.build import cpio
from enigm_testkit.android.keys import SigningKey

_MANIFEST = """[update]
compatible={compatible}
version={version}
build={build}
[bundle]
format={form}
[image.rootfs]
filename=rootfs.img
"""
_DESCRIPTION = """software =
{{
	/* made by the tests */
	version = "{version}";
	enigm: {{
		hardware-compatibility: [ "1.0", "#RE:^1[.]2" ];
		images: (
			{{
				filename = "rootfs.img";
				device = "/dev/mmcblk0p1";
				sha256 = "{sha256}";
			}}
		);
	}};
}}
"""


def make_rauc(folder: Path, key: SigningKey, form: str = "verity", size: int = 50_000, **fields: str) -> Path:
    """A bundle with one image."""
    said = {"compatible": "enigm-router", "version": "2026.11.1", "build": "BUILD.7", "form": form, **fields}
    content, out = folder / "content", folder / "update.raucb"
    content.mkdir(parents=True)
    (content / "rootfs.img").write_bytes(random.Random(1).randbytes(size))
    (content / "manifest.raucm").write_text(_MANIFEST.format(**said))
    command = ["rauc", f"--cert={key.certificate}", f"--key={key.private}", "bundle", str(content), str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def make_swu(
    folder: Path,
    key: SigningKey,
    version: str = "2026.11.1",
    image: bytes = b"rootfs " * 5_000,
    sha256: str | None = None,
    description: str | None = None,
    form: str = "crc",
) -> Path:
    """An image with a signed description; ``sha256`` is by default the right one."""
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256(image).hexdigest() if sha256 is None else sha256
    text = (description or _DESCRIPTION.format(version=version, sha256=digest)).encode()
    files = {"sw-description": text, "sw-description.sig": sign_cms(folder, text, key), "rootfs.img": image}
    out = folder / "update.swu"
    out.write_bytes(cpio(folder, files, form))
    return out


def sign_cms(folder: Path, data: bytes, key: SigningKey) -> bytes:
    """A detached signature in DER."""
    file = folder / "to-sign"
    file.write_bytes(data)
    command = ["openssl", "cms", "-sign", "-in", str(file), "-signer", str(key.certificate), "-inkey", str(key.private)]
    command += ["-outform", "DER", "-nosmimecap", "-binary"]
    return subprocess.run(command, check=True, capture_output=True).stdout
