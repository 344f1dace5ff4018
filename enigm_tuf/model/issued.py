"""When metadata was issued: ``x-enigm-tuf`` of timestamp and snapshot, ``{"schema": 1, "issued": time}``.

TUF says when metadata expires, never when it was made. A device without a clock learns here what time it is at least.
"""

from __future__ import annotations

from enigm_tuf.model.lean import datetime
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.shapes import Record, Time
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.tuf import Signed

_ISSUED: Record[dict[str, datetime]] = Record(dict, 1, issued=Time())


def issued_at(signed: Signed, source: str) -> datetime | None:
    """None where it is not told; MalformedError."""
    field = signed.raw.get(FIELD)
    return None if field is None else _ISSUED.read(field, source, f"signed.{FIELD}")["issued"]


def issued_field(time: datetime) -> JsonObject:
    """What goes into the ``signed`` object."""
    return {FIELD: _ISSUED.write({"issued": time})}
