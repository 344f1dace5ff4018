"""What a CDN may keep, and for how long: for ever what never changes under its name, moments what does."""

TIMESTAMP = "metadata/timestamp.json"
TIMESTAMP_SECONDS = 60  # a release is seen within a minute; any number of devices cost the store a request a minute
FOR_EVER = "public, max-age=31536000, immutable"  # a year is the most that caches honour (RFC 9111 says nothing)


def attributes_of(path: str, timestamp_seconds: int) -> dict[str, str]:
    """The HTTP fields of an object. Every name but the timestamp's has a version or a hash in it."""
    keep = f"public, max-age={timestamp_seconds}" if path == TIMESTAMP else FOR_EVER
    kind = "application/json" if path.endswith(".json") else "application/octet-stream"
    return {"Cache-Control": keep, "Content-Type": kind}
