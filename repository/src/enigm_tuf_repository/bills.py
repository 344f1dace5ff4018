"""Bills of materials, SPDX 2 and 3 and CycloneDX in JSON: only what binds them to a file, and that they list things."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError


@dataclass(frozen=True, slots=True)
class Bill:
    """``digests`` are the SHA-256 of everything that it lists, ``listed`` how many things that is."""

    format: str
    digests: frozenset[str]
    listed: int


def read_bill(data: bytes, source: str) -> Bill | None:
    """None for a file that is no bill of materials; MalformedError for one that is broken."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if type(value) is not dict:
        return None
    try:
        if "spdxVersion" in value:
            return _bill(f"{value['spdxVersion']}", [*_items(value, "packages"), *_items(value, "files")], _spdx2)
        if "spdx.org" in str(value.get("@context")):
            elements = [item for item in _items(value, "@graph") if str(item.get("type")).startswith("software_")]
            return _bill("SPDX 3", elements, _spdx3)
        if value.get("bomFormat") == "CycloneDX":
            return _bill(f"CycloneDX {value.get('specVersion')}", list(_components(value)), _cyclonedx)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedError(source, "", f"a broken bill of materials: {type(error).__name__}: {error}") from error
    return None


def _bill(kind: str, items: list[Any], digests: Any) -> Bill:
    found = frozenset(digest.lower() for item in items for digest in digests(item))
    return Bill(kind[:60], found, len(items))


def _spdx2(item: dict[str, Any]) -> Iterator[str]:
    return (entry["checksumValue"] for entry in _items(item, "checksums") if entry["algorithm"] == "SHA256")


def _spdx3(item: dict[str, Any]) -> Iterator[str]:
    return (entry["hashValue"] for entry in _items(item, "verifiedUsing") if entry.get("algorithm") == "sha256")


def _cyclonedx(item: dict[str, Any]) -> Iterator[str]:
    return (entry["content"] for entry in _items(item, "hashes") if entry["alg"] == "SHA-256")


def _components(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    main = value.get("metadata", {}).get("component")
    for item in [*([main] if main else []), *_items(value, "components")]:
        yield item
        yield from _components({"components": _items(item, "components")})


def _items(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name, [])
    if type(found) is not list:
        raise TypeError(f"{name} is no list")
    return found
