"""The images of a release by partition: out of a full update package, out of a package of images, or loose files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.images import ImagePackage
from enigm_tuf_repository.inspection.android.package import OtaPackage
from enigm_tuf_repository.inspection.android.payload_images import extract_image, is_whole
from enigm_tuf_repository.inspection.android.sparse import looks_sparse, unsparse
from enigm_tuf_repository.inspection.inspector import Inspection
from enigm_tuf_repository.inspection.source import Source

LOOSE = "loose images"
_SUFFIX = ".img"
Moved: TypeAlias = Callable[[int], None]
Found: TypeAlias = tuple[str, Source, Inspection]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """One whole set. ``origin`` is the artifact's name. ``trees_by_device``: partitions whose hash tree is not here."""

    origin: str
    images: Mapping[str, Source]
    trees_by_device: tuple[str, ...] = ()


def image_sets(found: Sequence[Found], folder: Path, moved: Moved) -> tuple[ImageSet, ...]:
    """Every set that the artifacts make. A delta makes none."""
    sets = []
    for index, (name, _, inspection) in enumerate(found):
        place = folder / str(index)
        if isinstance(inspection.value, OtaPackage) and not inspection.value.payload.delta:
            place.mkdir()
            sets.append(_of_payload(name, inspection.value, place, moved))
        elif isinstance(inspection.value, ImagePackage):
            place.mkdir()
            sets.append(_of_package(name, inspection.value, place, moved))
    loose = {name[: -len(_SUFFIX)]: source for name, source, _ in found if name.endswith(_SUFFIX)}
    if loose:
        place = folder / "loose"
        place.mkdir()
        sets.append(ImageSet(LOOSE, {name: _whole(source, name, place) for name, source in loose.items()}))
    return tuple(sets)


def _of_payload(name: str, package: OtaPackage, folder: Path, moved: Moved) -> ImageSet:
    payload = package.payload
    for partition in payload.partitions:
        if not is_whole(partition):
            raise MalformedError(name, partition.name, "a full package may not need what is on the device")
    images = {partition.name: extract_image(payload, partition, folder, moved) for partition in payload.partitions}
    return ImageSet(name, images, tuple(item.name for item in payload.partitions if item.hash_tree))


def _of_package(name: str, package: ImagePackage, folder: Path, moved: Moved) -> ImageSet:
    images: dict[str, Source] = {}
    for partition, entry in package.images.items():
        packed = entry.data if entry.stored else package.package.unpack(entry.name, folder / f"{partition}.packed")
        images[partition] = _whole(packed, partition, folder)
        moved(entry.size)
    return ImageSet(name, images)


def _whole(image: Source, name: str, folder: Path) -> Source:
    return unsparse(image, folder / f"{name}{_SUFFIX}") if looks_sparse(image) else image
