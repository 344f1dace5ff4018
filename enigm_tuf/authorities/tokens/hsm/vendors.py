"""What some makers' modules cannot do, or say otherwise: an entry each, with its reason; no weaker rule for all.

Measured by ``tests/contract``; the table in docs/reference/tokens.md comes from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Vendor:
    """``leaves_out``: attributes that its templates must not name (``usage`` of the key pair, say).

    ``says``: attributes that its keys read back with another value than the table's, and why that is not worse.
    ``generates``: whether keys can be made through the module at all.
    """

    name: str
    leaves_out: frozenset[str] = frozenset()
    says: Mapping[str, bool | str] = field(default_factory=dict)
    generates: bool = True


STANDARD = Vendor("any")


def vendor_of(manufacturer: str, model: str) -> Vendor:
    """By what the token says of itself."""
    return next(
        (vendor for maker, kind, vendor in _VENDORS if maker in manufacturer and kind in model),
        STANDARD,
    )


_VENDORS: tuple[tuple[str, str, Vendor], ...] = ()
