"""From settings to obstore's own objects, and from its errors to one line."""

import re
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, S3Store

from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.stores.settings import StoreSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig  # is there for type checkers alone

Backend: TypeAlias = S3Store | GCSStore | AzureStore

_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
RETRIES = 4
_OPTIONS: "ClientConfig" = {
    "timeout": "10 min",  # for one request: 8 MiB over 100 kbit/s
    "connect_timeout": "10 s",
    "read_timeout": "60 s",
    "user_agent": "enigm-repo",
}


def open_backend(settings: StoreSettings) -> Backend:
    """The library's object for a store; nothing is asked of it yet. MisuseError where it cannot be one."""
    scheme, account, bucket, prefix = _parts(settings.url)
    plain = _is_plain(settings)
    common: Any = {  # the three constructors type the same things apart
        "prefix": prefix or None,
        "client_options": {**_OPTIONS, "allow_http": plain},
        "retry_config": {"max_retries": RETRIES},
    }
    try:
        if scheme == "s3":
            return S3Store(bucket, **common, **_s3(settings))
        if scheme == "gs":
            return GCSStore(bucket, **common, **_given(base_url=settings.endpoint))
        return AzureStore(bucket, **common, **_given(account_name=account, endpoint=settings.endpoint))
    except Exception as error:  # the library raises what its parts raise
        raise MisuseError(f"{settings.url}: {one_line(error)}") from error


def _is_plain(settings: StoreSettings) -> bool:
    """Whether without TLS. An S3 request carries a signature; the others carry what whoever hears it can use."""
    address = urlsplit(settings.endpoint or "https:")
    if address.scheme == "http" and not settings.url.startswith("s3:") and address.hostname not in _LOOPBACK:
        raise MisuseError(f"{settings.endpoint}: this cloud's credentials go through TLS alone", hint="https://...")
    return address.scheme == "http"


def _parts(url: str) -> tuple[str, str, str, str]:
    """Scheme, account (Azure's), bucket and prefix."""
    scheme, _, rest = url.partition("://")
    account, rest = rest.split("/", 1) if scheme == "az" else ("", rest)
    bucket, _, prefix = rest.partition("/")
    return scheme, account, bucket, prefix


def _s3(settings: StoreSettings) -> Any:
    """The server checks the SHA-256 of what it got, where it can."""
    virtual = None if settings.path_style is None else not settings.path_style
    given = _given(endpoint=settings.endpoint, region=settings.region, virtual_hosted_style_request=virtual)
    return {**given, "checksum_algorithm": "SHA256"}


def _given(**options: Any) -> Any:
    return {name: value for name, value in options.items() if value is not None}


_QUERY = re.compile(r"\?\S*")


def one_line(error: Exception) -> str:
    """What the library says, on one line, without the query of a URL: a SAS token may stand in it."""
    return _QUERY.sub("", str(error).splitlines()[0] if str(error) else type(error).__name__)[:300]
