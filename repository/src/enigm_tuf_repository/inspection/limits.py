"""The limits of the inspectors, each with its unit and its reason. Checked before anything is parsed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InspectionLimits:
    """Upper bounds on what is found inside an artifact. Bytes unless the name says otherwise."""

    zip_entries: int = 20_000  # a target-files package has some thousand
    zip_directory: int = 8_000_000  # its central directory, at 400 bytes an entry
    small_file: int = 1_000_000  # metadata, properties, certificates, descriptions: kilobytes in practice
    certificates: int = 100  # in one otacerts.zip or CMS message
    payload_manifest: int = 64_000_000  # DeltaArchiveManifest of a large delta: about 10 MB
    payload_signature: int = 64_000  # serialized Signatures
    protobuf_fields: int = 4_000_000  # in one message; each operation of a payload has about ten
    partitions: int = 256  # in one payload, vbmeta or package
    partition: int = 16 * 2**30  # the largest image of one partition
    operation: int = 256 * 2**20  # what one operation of a payload writes; delta_generator makes 2 MiB
    vbmeta: int = 64 * 1024  # libavb's VBMETA_MAX_SIZE
    descriptors: int = 1_000  # in one vbmeta
    boot_header: int = 4096  # header versions 0 to 4
    hash_tree: int = 256 * 2**20  # a 128th of the largest partition, twice over
    directory: int = 16_000_000  # one directory of a file system
    extents: int = 100_000  # of one file
    clusters: int = 1_000_000  # of one file in EROFS: 4 GiB
    files: int = 1_000_000  # entries of directories in one image: Android's have some ten thousand
    unpacked: int = 64 * 2**30  # in reading the files of one image: as large as the largest artifact
    path_depth: int = 32  # names in one path
    sparse_chunks: int = 1_000_000  # in one sparse image
    cpio_entries: int = 1_000  # in one .swu


INSPECTION_LIMITS = InspectionLimits()
