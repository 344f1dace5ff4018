"""What a build system would hand over: a signed A/B update package of Android, with verified boot and real files."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.keys import make_key

IMAGE_KIBIBYTES = 64 << 10
_FILES_MEBIBYTES = 40
_SOURCES = (Path("/usr/bin"), Path("/usr/share/zoneinfo"), Path("/usr/lib/x86_64-linux-gnu"))


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


@dataclass(frozen=True)
class BuildFarm:
    """Its keys sign packages and vbmeta images. They are none of the authorities' keys."""

    folder: Path
    keys: Keys

    def artifact_rules(self) -> str:
        """The part of repository.toml that says what a phone's artifacts must be."""
        return f"""[[artifacts]]
product = "phone"
kinds = ["android-ota"]
update_keys = ["{self.keys.update.spki}"]
avb_keys = {{vbmeta = "{self.keys.vbmeta.spki}", vbmeta_system = "{self.keys.vbmeta_system.spki}"}}
"""

    def build_ota(self, files: Path, version: str, build_id: str, index: int) -> Path:
        """The full update package ``ota-VERSION.zip``, as Android's releasetools lay it out."""
        folder = self.folder / version
        folder.mkdir()
        build = AndroidBuild(
            folder,
            self.keys,
            version=version,
            id=build_id,
            devices=("phone-a", "phone-b"),
            timestamp=AndroidBuild.timestamp + index,
            rollback_index=index,
            files=files,
            system_kibibytes=IMAGE_KIBIBYTES,
        )
        return build.full(f"ota-{version}.zip").rename(self.folder.parent / f"ota-{version}.zip")


def open_build_farm(folder: Path) -> BuildFarm:
    """A new one, with new keys."""
    folder.mkdir()
    return BuildFarm(folder, Keys(*(make_key(folder, name) for name in ("update", "vbmeta", "vbmeta_system"))))
