"""One chain of verified boot over the images of a release: from the top vbmeta to every partition that it speaks of."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.descriptors import ChainDescriptor, HashDescriptor, HashtreeDescriptor
from enigm_tuf_repository.inspection.avb.hashtree import image_digest, tree_root
from enigm_tuf_repository.inspection.avb.vbmeta import MAGIC, Vbmeta, vbmeta_of
from enigm_tuf_repository.inspection.source import Source

TOP = "vbmeta"


@dataclass(frozen=True, slots=True)
class Chain:
    """``metas`` are the vbmeta images by partition, the top one first, each with a signature that verifies.

    ``covered`` says for each partition by which partition's vbmeta it is protected.
    """

    metas: Mapping[str, Vbmeta]
    covered: Mapping[str, str]


def read_chain(images: Mapping[str, Source]) -> Chain:
    """Signatures and links, without the images' bytes; MalformedError names what does not hold."""
    top = _signed(images, TOP)
    metas = {TOP: top}
    for link in (item for item in top.descriptors if isinstance(item, ChainDescriptor)):
        metas[link.partition] = _linked(images, link, metas)
    covered: dict[str, str] = {}
    for owner, meta in metas.items():
        for item in meta.descriptors:
            if isinstance(item, HashDescriptor | HashtreeDescriptor):
                if item.partition in covered:
                    raise MalformedError(meta.source, item.partition, "has two descriptors")
                covered[item.partition] = owner
    return Chain(metas, covered)


def verify_images(
    chain: Chain, images: Mapping[str, Source], moved: Callable[[int], None], trees_by_device: Collection[str] = ()
) -> None:
    """Every digest that the chain names is that of the image; MalformedError names the partition.

    ``trees_by_device`` are the partitions whose hash tree is not in the image, because devices write it.
    """
    for meta in chain.metas.values():
        for item in meta.descriptors:
            if isinstance(item, HashDescriptor | HashtreeDescriptor):
                image = _image(images, item.partition)
                digest = _digest(item, image, moved, item.partition in trees_by_device)
                if digest != item.digest:
                    raise MalformedError(image.name, "digest", f"is {digest.hex()}, vbmeta says {item.digest.hex()}")


def _digest(
    item: HashDescriptor | HashtreeDescriptor, image: Source, moved: Callable[[int], None], tree_by_device: bool
) -> bytes:
    if isinstance(item, HashDescriptor):
        return image_digest(item, image, moved)
    return tree_root(item, image, moved, tree_by_device=tree_by_device)


def uncovered(chain: Chain, images: Mapping[str, Source]) -> list[str]:
    """The partitions that verified boot says nothing of. One that is nothing but a vbmeta of the chain is covered."""
    return sorted(
        name for name, image in images.items() if name not in chain.covered and not _is_meta(chain, name, image)
    )


def _is_meta(chain: Chain, name: str, image: Source) -> bool:
    return name in chain.metas and image.read(0, len(MAGIC)) == MAGIC


def _linked(images: Mapping[str, Source], link: ChainDescriptor, before: Mapping[str, Vbmeta]) -> Vbmeta:
    meta = _signed(images, link.partition)
    if meta.key is None or meta.key.avb_sha256 != link.key.avb_sha256:
        raise MalformedError(meta.source, "public key", "is not the one that the chain descriptor names")
    if any(isinstance(item, ChainDescriptor) for item in meta.descriptors):
        raise MalformedError(meta.source, "descriptors", "a chained image may not chain further")
    if link.partition in before:
        raise MalformedError(meta.source, "descriptors", "two chain descriptors for one partition")
    return meta


def _signed(images: Mapping[str, Source], name: str) -> Vbmeta:
    image = _image(images, name)
    meta = vbmeta_of(image)
    if meta is None:
        raise MalformedError(image.name, "", "has neither vbmeta nor an AVB footer")
    meta.verify()
    return meta


def _image(images: Mapping[str, Source], name: str) -> Source:
    if name not in images:
        raise MalformedError("images", name, "vbmeta speaks of it, but the release does not bring it")
    return images[name]
