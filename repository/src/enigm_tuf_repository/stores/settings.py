"""``[store]`` of repository.toml: where the tree is published, if not in a directory. Never a credential.

Credentials come from where these clouds' own tools look: the environment, the instance or the workload's identity.
"""

from dataclasses import dataclass
from typing import Literal

from enigm_tuf.model.shapes import Boolean, Choice, Integer, Optional, Record, Text

_PREFIX = r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)*"
_BUCKET = r"[a-z0-9][a-z0-9._-]{1,62}"
STORE_URL = Text(
    rf"(s3|gs)://{_BUCKET}{_PREFIX}|az://[a-z0-9]{{3,24}}/{_BUCKET}{_PREFIX}",
    "s3://bucket/prefix, gs://bucket/prefix or az://account/container/prefix",
)
_HTTP = Text(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?", "an http or https URL without user, query or fragment"
)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """``tag_quoting``: how the server wants an ETag in If-Match; nearly all want it as they gave it, ``quoted``.

    ``path_style``: the bucket in the path (the default), or in the endpoint's host name. ``public_url`` is where
    devices fetch; ``timestamp_seconds`` is how long a CDN may keep a timestamp.
    """

    url: str
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    tag_quoting: Literal["quoted", "bare"] | None = None
    public_url: str | None = None
    timestamp_seconds: int | None = None


STORE_SETTINGS = Record(
    StoreSettings,
    url=STORE_URL,
    endpoint=Optional(_HTTP),
    region=Optional(Text(r"[a-z0-9-]+", "a region's name")),
    path_style=Optional(Boolean()),
    tag_quoting=Optional(Choice(("quoted", "bare"))),
    public_url=Optional(_HTTP),
    timestamp_seconds=Optional(Integer(0, 86_400)),
)
