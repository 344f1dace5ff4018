"""One build of Android: partitions, their vbmeta, and the update packages that bring it."""

import base64
import gzip
import hashlib
import io
import os
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from enigm_testkit.android import avb
from enigm_testkit.android.keys import SigningKey
from enigm_testkit.android.payload import PayloadFields, encoded, make_payload

SIGNAPK = "/usr/share/signapk/signapk.jar"
_LONG_AGO = (2009, 1, 1, 0, 0, 0)
_METADATA = "META-INF/com/android/metadata"


@dataclass(frozen=True)
class Keys:
    """Whoever signs what."""

    update: SigningKey
    vbmeta: SigningKey
    vbmeta_system: SigningKey


@dataclass
class AndroidBuild:
    """What a build is. Change one thing with ``changed``; everything is made in ``folder`` when it is asked for.

    ``files`` go into the system image beside what every build has there; ``otacerts`` and ``ramdisk`` are the
    certificates by which the system and recovery verify updates. ``said_in`` names the vbmeta with the build's
    properties.
    """

    folder: Path
    keys: Keys
    version: str = "2026.11.1"
    id: str = "EN1A.261101.001"
    devices: tuple[str, ...] = ("phone-a",)
    kind: str = "user/release-keys"
    security_patch_level: str = "2026-11-05"
    timestamp: int = 1_793_836_800
    rollback_index: int = 1_793_836_800
    otacerts: tuple[Path, ...] | None = None
    ramdisk: tuple[Path, ...] = ()
    file_system: str = "ext4"
    files: Path | None = None
    system_kibibytes: int = 512
    vbmeta: Mapping[str, Any] = field(default_factory=dict)
    vbmeta_system: Mapping[str, Any] = field(default_factory=dict)
    vbmeta_fingerprint: str | None = None
    said_in: str = "vbmeta"
    more_images: Mapping[str, bytes] = field(default_factory=dict)

    def changed(self, name: str, **changes: Any) -> "AndroidBuild":
        """The same build but for ``changes``, in a folder of its own."""
        folder = self.folder.parent / name
        folder.mkdir()
        return replace(self, folder=folder, **changes)

    @property
    def fingerprint(self) -> str:
        return f"enigm/{self.devices[0]}/{self.devices[0]}:16/{self.id}/{self.version}:{self.kind}"

    @cached_property
    def images(self) -> dict[str, bytes]:
        """Every partition's image by name."""
        boot = self._boot()
        system, tree = self._system()
        fingerprint = self.vbmeta_fingerprint or self.fingerprint
        said = [
            avb.property_descriptor("com.android.build.system.fingerprint", fingerprint),
            avb.property_descriptor("com.android.build.system.security_patch", self.security_patch_level),
        ]
        chain = avb.chain_descriptor("vbmeta_system", 1, self.keys.vbmeta_system)
        descriptors = [chain, *(said if self.said_in == "vbmeta" else []), avb.hash_descriptor("boot", boot)]
        below = [tree, *(said if self.said_in == "vbmeta_system" else [])]
        index = {"rollback_index": self.rollback_index}
        chained = {"key": self.keys.vbmeta_system, "descriptors": below, **index, **self.vbmeta_system}
        top = {"key": self.keys.vbmeta, "descriptors": descriptors, **index, **self.vbmeta}
        return {
            "boot": avb.padded(boot, avb.BLOCK),
            "system": system,
            "vbmeta_system": avb.VbmetaFields(**chained).image(),
            "vbmeta": avb.VbmetaFields(**top).image(),
            **self.more_images,
        }

    def full(self, name: str = "ota.zip", **changes: Any) -> Path:
        """A signed full update package."""
        payload = PayloadFields(self.images, self.timestamp, self.security_patch_level)
        return self.package(name, make_payload(payload, self.keys.update), **changes)

    def delta(self, before: "AndroidBuild", name: str = "delta.zip", **changes: Any) -> Path:
        """A signed delta, which copies every block: only its manifest and metadata are looked at."""
        payload = PayloadFields(self.images, self.timestamp, self.security_patch_level, before.images)
        source = {"pre-build": before.fingerprint, "pre-build-incremental": before.version}
        text = {**source, **changes.pop("text", {})}
        return self.package(name, make_payload(payload, self.keys.update), text=text, **changes)

    def package(
        self,
        name: str,
        payload: bytes,
        *,
        text: Mapping[str, str] | None = None,
        twin: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        signer: SigningKey | None = None,
        streaming: int | None = None,
    ) -> Path:
        """``text`` and ``twin`` are laid over the metadata and over its twin alone, ``properties`` over the real ones.

        ``streaming`` adds a property file; 0 for a right one, else so many bytes off.
        """
        said = self.metadata() | dict(text or {})
        entries = {
            "payload.bin": payload,
            "payload_properties.txt": _lines(payload_properties(payload) | dict(properties or {})),
        }
        out, signer = self.folder / name, signer or self.keys.update
        if streaming is None:
            return sign_package(entries | _metadata(said, said | dict(twin or {})), out, signer)
        said["ota-property-files"] = " " * 200
        sign_package(entries | _metadata(said, said), out, signer)
        said["ota-property-files"] = _property_files(out, streaming).ljust(200)
        return sign_package(entries | _metadata(said, said), out, signer)

    def metadata(self) -> dict[str, str]:
        """The lines of the metadata."""
        return {
            "ota-type": "AB",
            "pre-device": "|".join(self.devices),
            "post-build": self.fingerprint,
            "post-build-incremental": self.version,
            "post-sdk-level": "36",
            "post-security-patch-level": self.security_patch_level,
            "post-timestamp": str(self.timestamp),
        }

    def image_package(self, name: str = "images.zip") -> Path:
        """What ``fastboot update`` takes: every image in a zip."""
        with zipfile.ZipFile(self.folder / name, "w", zipfile.ZIP_DEFLATED) as package:
            for partition, image in self.images.items():
                package.writestr(f"{partition}.img", image)
        return self.folder / name

    def _boot(self) -> bytes:
        """A boot image that mkbootimg made, with update keys in its ramdisk if the build has any there."""
        (self.folder / "kernel").write_bytes(b"kernel of " + self.id.encode())
        keys = {"system/etc/security/otacerts.zip": otacerts(self.ramdisk)} if self.ramdisk else {}
        (self.folder / "ramdisk").write_bytes(gzip.compress(cpio(self.folder, {"init": b"#!", **keys}), mtime=0))
        out = self.folder / "boot.img"
        command = ["mkbootimg", "--header_version", "3", "--kernel", str(self.folder / "kernel")]
        command += ["--ramdisk", str(self.folder / "ramdisk"), "-o", str(out)]
        subprocess.run(command, check=True, capture_output=True)
        return out.read_bytes()

    def _system(self) -> tuple[bytes, bytes]:
        """A file system with its hash tree, and the descriptor."""
        tree, image = self.folder / "system", self.folder / "system.img"
        if self.files:
            shutil.copytree(self.files, tree)
        security = tree / "system" / "etc" / "security"
        security.mkdir(parents=True)
        (tree / "system" / "build.prop").write_text(f"ro.system.build.fingerprint={self.fingerprint}\n")
        certificates = (self.keys.update.certificate,) if self.otacerts is None else self.otacerts
        if certificates:
            (security / "otacerts.zip").write_bytes(otacerts(certificates))
        make_file_system(self.file_system, tree, image, self.system_kibibytes)
        descriptor = avb.with_hash_tree(image, "system")
        shutil.rmtree(tree)
        return image.read_bytes(), descriptor


def make_file_system(kind: str, tree: Path, image: Path, kibibytes: int = 512) -> None:
    """mke2fs or mkfs.erofs."""
    if kind == "erofs":
        command = ["mkfs.erofs", "-zlz4hc", "-T", "0", str(image), str(tree)]
    else:
        command = ["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", str(tree), str(image), f"{kibibytes}k"]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def otacerts(certificates: tuple[Path, ...]) -> bytes:
    """otacerts.zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for certificate in certificates:
            package.writestr(zipfile.ZipInfo(certificate.name, _LONG_AGO), certificate.read_bytes())
    return buffer.getvalue()


def cpio(folder: Path, files: Mapping[str, bytes], form: str = "newc") -> bytes:
    """An archive made by cpio, the files in this order."""
    tree = folder / "cpio"
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    names = "".join(f"{name}\n" for name in files).encode()
    done = subprocess.run(["cpio", "-o", "-H", form], input=names, cwd=tree, check=True, capture_output=True).stdout
    shutil.rmtree(tree)
    return done


def payload_properties(payload: bytes) -> dict[str, str]:
    """What payload_properties.txt says of a payload."""
    size = 24 + int.from_bytes(payload[12:20])
    return {
        "FILE_HASH": _base64(payload),
        "FILE_SIZE": str(len(payload)),
        "METADATA_HASH": _base64(payload[:size]),
        "METADATA_SIZE": str(size),
    }


def sign_package(entries: Mapping[str, bytes], out: Path, signer: SigningKey) -> Path:
    """A zip of stored entries, signed whole by signapk, which adds otacert."""
    plain = out.with_suffix(".unsigned")
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as package:
        for name, data in entries.items():
            package.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
    command = ["java", "-XX:TieredStopAtLevel=1", "-jar", SIGNAPK, "-w", str(signer.certificate), str(signer.pk8)]
    subprocess.run([*command, str(plain), str(out)], check=True, capture_output=True)
    return out


def _metadata(said: Mapping[str, str], twin: Mapping[str, str]) -> dict[str, bytes]:
    return {_METADATA: _lines(said), f"{_METADATA}.pb": _protobuf(twin)}


def _lines(values: Mapping[str, str]) -> bytes:
    return "".join(f"{key}={value}\n" for key, value in sorted(values.items())).encode()


def _protobuf(said: Mapping[str, str]) -> bytes:
    """The twin: the same facts, encoded by protoc."""
    flags = {"ota-wipe": "wipe", "ota-downgrade": "downgrade", "spl-downgrade": "spl_downgrade"}
    text = "type: AB " + " ".join(f"{flags[key]}: true" for key in said if key in flags)
    before = " ".join(f'device: "{device}"' for device in said["pre-device"].split("|"))
    if "pre-build" in said:
        before += f' build: "{said["pre-build"]}" build_incremental: "{said["pre-build-incremental"]}"'
    after = (
        f'build: "{said["post-build"]}" build_incremental: "{said["post-build-incremental"]}" '
        f'timestamp: {said["post-timestamp"]} sdk_level: "{said["post-sdk-level"]}" '
        f'security_patch_level: "{said["post-security-patch-level"]}"'
    )
    text += f" precondition {{ {before} }} postcondition {{ {after} }}"
    if "ota-property-files" in said:
        text += f' property_files {{ key: "ota-property-files" value: "{said["ota-property-files"]}" }}'
    return encoded("ota_metadata.proto", "OtaMetadata", text)


def _property_files(package: Path, off: int) -> str:
    """Where a device that streams finds the entries."""
    places = []
    with zipfile.ZipFile(package) as archive, package.open("rb") as file:
        for name in ("payload.bin", "payload_properties.txt"):
            info = archive.getinfo(name)
            file.seek(info.header_offset + 26)
            lengths = file.read(4)
            start = info.header_offset + 30 + sum(struct.unpack("<HH", lengths))
            places.append((name, start, info.file_size))
            if name == "payload.bin":
                head = archive.read(name)[:24]
                size = 24 + int.from_bytes(head[12:20]) + int.from_bytes(head[20:24])
                places.insert(0, ("payload_metadata.bin", start, size))
    return ",".join(f"{name}:{start + off}:{size}" for name, start, size in places)


def _base64(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
