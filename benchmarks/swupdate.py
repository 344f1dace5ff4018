"""An image for Debian's swupdate: cpio, a description with the payload's SHA-256, and its CMS signature."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_DESCRIPTION = """software = {{
  version = "1.0";
  hardware-compatibility = [ "1.0" ];
  images: ( {{ filename = "payload"; type = "raw"; device = "{slot}"; sha256 = "{sha256}";
               installed-directly = true; }} );
}};
"""


def make_image(folder: Path, payload: Path, slot: Path) -> Path:
    """Write ``payload.swu``, which streams ``payload`` straight into ``slot``; and ``swu.crt``, its signer."""
    with payload.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    description, signature = folder / "sw-description", folder / "sw-description.sig"
    description.write_text(_DESCRIPTION.format(slot=slot, sha256=digest))
    _openssl(folder, "req -x509 -newkey rsa:2048 -nodes -keyout swu.pem -out swu.crt -subj /CN=benchmark -days 2")
    _openssl(
        folder,
        "cms -sign -in sw-description -out sw-description.sig -signer swu.crt -inkey swu.pem "
        "-outform DER -nosmimecap -binary",
    )
    image = folder / "payload.swu"
    _write_cpio(image, [("sw-description", description), ("sw-description.sig", signature), ("payload", payload)])
    return image


def install_command(folder: Path, url: str, slot: Path) -> list[str]:
    """swupdate never calls fsync: ``sync`` makes its work as durable as ours."""
    slot.unlink(missing_ok=True)
    slot.touch()
    install = f"swupdate -M -m -H bench:1.0 -k '{folder}/swu.crt' -d '-u {url}'"
    return ["sh", "-c", f"{install} && sync '{slot}'"]


def _openssl(folder: Path, arguments: str) -> None:
    extended = ["-addext", "extendedKeyUsage=emailProtection"] if arguments.startswith("req") else []
    subprocess.run(["openssl", *arguments.split(), *extended], cwd=folder, check=True, capture_output=True)  # noqa: S607


def _write_cpio(image: Path, files: Iterable[tuple[str, Path]]) -> None:
    with image.open("wb") as archive:
        for name, file in files:
            size = file.stat().st_size
            archive.write(_cpio_header(name, size))
            with file.open("rb") as source:
                shutil.copyfileobj(source, archive, 1 << 20)
            archive.write(bytes(-size % 4))
        archive.write(_cpio_header("TRAILER!!!", 0))


def _cpio_header(name: str, size: int) -> bytes:
    """The "newc" form: 13 numbers of 8 hex digits, then the name."""
    encoded = name.encode() + b"\0"
    fields = (1, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + bytes(-len(header) % 4)
