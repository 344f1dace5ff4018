"""The OTA manifest: the target ``manifests/<product>/<channel>.json``, signed by the manifest authority.

It lists the channel's current releases, newest first, and says for whom and from when they are.
"""

import itertools

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.lean import datetime
from enigm_tuf.model.payload import HARDWARE_IDS, HASHES, LENGTH, PAYLOAD_TYPE, PayloadType, require_delta_source
from enigm_tuf.model.shapes import (
    BUILD_ID,
    LINE,
    NAME,
    PATH,
    VERSION,
    Boolean,
    Integer,
    Optional,
    Record,
    Sequence,
    Text,
    Time,
    is_number,
    version_key,
)
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.value import Value


def _is_patch_level(text: str) -> bool:
    year, month, day = text[:4], text[5:7], text[8:]
    numbers = is_number(year, 4) and is_number(month, 2) and is_number(day, 2)
    return numbers and text[4] == text[7] == "-" and "01" <= month <= "12" and "01" <= day <= "31"


PATCH_LEVEL = Text(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "a security patch level such as 2026-11-05",
    matches=_is_patch_level,
)


class ManifestPayload(Value):
    """One file of a release: target path, length in bytes, hashes by algorithm, and what it applies to."""

    path: str
    length: int
    hashes: dict[str, str]
    type: PayloadType
    source_build: str | None


class Stage(Value):
    """From ``after_hours`` after the start on, ``percent`` of all devices are offered the release."""

    after_hours: int
    percent: int


class Rollout(Value):
    """When and to how many. ``cohorts`` (empty: all) restricts; ``halted`` stops everybody."""

    start: datetime
    stages: tuple[Stage, ...]
    cohorts: tuple[str, ...]
    halted: bool


class Release(Value):
    """One release of a product on a channel. ``applicable_from`` is the lowest version it updates."""

    version: str
    build_id: str
    security_patch_level: str
    rollback_index: int
    hardware_ids: tuple[str, ...]
    applicable_from: str | None
    payloads: tuple[ManifestPayload, ...]
    rollout: Rollout
    release_notes: str
    minimum_client: str
    mandatory: bool


class OtaManifest(Value):
    environment: Environment
    product: str
    channel: str
    releases: tuple[Release, ...]


_PAYLOAD = Record(
    ManifestPayload,
    path=PATH,
    length=LENGTH,
    hashes=HASHES,
    type=PAYLOAD_TYPE,
    source_build=Optional(BUILD_ID),
)
_ROLLOUT = Record(
    Rollout,
    start=Time(),
    stages=Sequence(
        Record(Stage, after_hours=Integer(0, maximum=100_000), percent=Integer(0, maximum=100)), minimum=1, maximum=100
    ),
    cohorts=Sequence(NAME, maximum=1_000, unique=True),
    halted=Boolean(),
)
RELEASE = Record(
    Release,
    version=VERSION,
    build_id=BUILD_ID,
    security_patch_level=PATCH_LEVEL,
    rollback_index=Integer(),
    hardware_ids=HARDWARE_IDS,
    applicable_from=Optional(VERSION),
    payloads=Sequence(_PAYLOAD, minimum=1, maximum=100),
    rollout=_ROLLOUT,
    release_notes=LINE,
    minimum_client=VERSION,
    mandatory=Boolean(),
)
OTA_MANIFEST = Record(
    OtaManifest,
    1,
    environment=ENVIRONMENT,
    product=NAME,
    channel=NAME,
    releases=Sequence(RELEASE, maximum=100),
)


def manifest_path(product: str, channel: str) -> str:
    """The target path of a channel's manifest."""
    return f"manifests/{product}/{channel}.json"


def payload_path(product: str, version: str, file: str) -> str:
    """The target path of a payload file."""
    return f"payloads/{product}/{version}/{file}"


def read_manifest(data: bytes, source: str) -> OtaManifest:
    """Parse, and check what no single field shows: order, stages that only grow, deltas with their source."""
    manifest = OTA_MANIFEST.read(parse(data, source=source, max_bytes=LIMITS.manifest_bytes), source)
    _require_newest_first(manifest, source)
    for index, release in enumerate(manifest.releases):
        field = f"releases[{index}]"
        _require_growing_stages(release.rollout, source, field)
        for place, payload in enumerate(release.payloads):
            require_delta_source(payload.type, payload.source_build, source, f"{field}.payloads[{place}]")
    return manifest


def write_manifest(manifest: OtaManifest) -> bytes:
    """The bytes of the target, always the same for the same manifest."""
    return encode(OTA_MANIFEST.write(manifest))


def _require_newest_first(manifest: OtaManifest, source: str) -> None:
    order = [version_key(release.version) for release in manifest.releases]
    if any(newer <= older for newer, older in itertools.pairwise(order)):
        raise MalformedError(source, "releases", "newest version first, each version once")
    indexes = [release.rollback_index for release in manifest.releases]
    if any(newer < older for newer, older in itertools.pairwise(indexes)):
        raise MalformedError(source, "releases", "a newer release may not have a lower rollback_index")


def _require_growing_stages(rollout: Rollout, source: str, field: str) -> None:
    pairs = list(zip(rollout.stages, rollout.stages[1:], strict=False))
    if any(later.after_hours <= earlier.after_hours or later.percent < earlier.percent for earlier, later in pairs):
        raise MalformedError(source, f"{field}.rollout.stages", "later stages reach at least as many devices")
