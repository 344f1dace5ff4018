"""The types of TUF metadata's fields, which tuf.api takes as they come (specification 4.2 to 4.6)."""

from enigm_tuf.errors import MalformedError

_TYPES: dict[str, type] = {
    **dict.fromkeys(("version", "threshold", "length"), int),
    **dict.fromkeys(("terminating", "consistent_snapshot"), bool),
    **dict.fromkeys(("expires", "spec_version", "name", "keytype", "scheme", "public", "sha256", "sha512"), str),
}


def require_types(value: object, source: str, field: str = "") -> None:
    """What tuf.api takes as it comes: ``true`` for a threshold of 1, a number for a name (specification 4.2 to 4.6).

    The ``custom`` of a target is a payload record, which has a reader of its own.
    """
    if isinstance(value, list):
        for place, item in enumerate(value):
            require_types(item, source, f"{field}[{place}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            inner = f"{field}.{name}" if field else name
            if name in _TYPES and type(item) is not _TYPES[name]:
                raise MalformedError(source, inner, f"must be {_TYPES[name].__name__}, is {type(item).__name__}")
            if name in {"keyids", "paths"} and not (isinstance(item, list) and all(type(one) is str for one in item)):
                raise MalformedError(source, inner, "must be a list of texts")
            if name != "custom":
                require_types(item, source, inner)
