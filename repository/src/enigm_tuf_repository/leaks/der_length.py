"""How long a DER object is."""


def der_object(data: bytes) -> bytes | None:
    """The object that ``data`` begins with, header and all; None if it is cut off, or of a length that DER forbids."""
    if len(data) < 2:
        return None
    size, header = data[1], 2
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < 2 + count:
            return None
        size, header = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    return data[: header + size] if len(data) >= header + size else None
