"""What a build system would hand over: an OTA package with a real ext4 image of real files."""

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

IMAGE_MEBIBYTES = 64
_FILES_MEBIBYTES = 40
_SOURCES = (Path("/usr/bin"), Path("/usr/share/zoneinfo"), Path("/usr/lib/x86_64-linux-gnu"))
_LONG_AGO = (2009, 1, 1, 0, 0, 0)


def collect_files(tree: Path) -> None:
    """Real files of this machine, about 40 MiB of them."""
    left = _FILES_MEBIBYTES << 20
    (tree / "system").mkdir(parents=True)
    for source in _SOURCES:
        for file in sorted(source.iterdir()) if source.is_dir() else []:
            if not file.is_file() or file.is_symlink() or file.stat().st_size > left:
                continue
            if os.access(file, os.R_OK) and not (tree / "system" / file.name).exists():
                shutil.copyfile(file, tree / "system" / file.name)
                left -= file.stat().st_size


def build_ota(tree: Path, version: str, build_id: str, out: Path) -> None:
    """Put ``tree`` into an ext4 image and that into an A/B OTA package, as Android's releasetools lay it out."""
    (tree / "system" / "build.prop").write_text(f"ro.build.id={build_id}\nro.build.version.release={version}\n")
    image = out.with_suffix(".img")
    make = ["mke2fs", "-q", "-t", "ext4", "-F", "-d", str(tree), str(image), f"{IMAGE_MEBIBYTES}M"]
    subprocess.run(make, check=True, env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"})
    with image.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
    properties = f"FILE_HASH={digest}\nFILE_SIZE={image.stat().st_size}\n"
    metadata = (
        "ota-type=AB\npre-device=phone\n"
        f"post-build=enigm/phone/phone:{version}/{build_id}/1:user/release-keys\n"
        "post-security-patch-level=2026-11-05\n"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        package.writestr(zipfile.ZipInfo("META-INF/com/android/metadata", _LONG_AGO), metadata)
        package.writestr(zipfile.ZipInfo("payload_properties.txt", _LONG_AGO), properties)
        package.write(image, "payload.bin")
    image.unlink()
