"""The device side of enigm_tuf: verify, fetch, install. These names are the API; docs/howto/embed-the-client.md.

Each is imported when it is first used: a check that finds nothing new needs no installer.
"""

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from enigm_tuf.clock import SystemClock
    from enigm_tuf.ports import Channel, DeviceClock, DeviceKey, DeviceState, Fetcher, Installer, RequestSigner, Store
    from enigm_tuf.trust.artifact import VerifiedArtifact
    from enigm_tuf.trust.eligibility import DeviceFacts
    from enigm_tuf.trust.gate_report import GateReport
    from enigm_tuf_client.fetch import FileFetcher
    from enigm_tuf_client.http import Bounds, HttpFetcher, Tls
    from enigm_tuf_client.installer import DirectorySlots
    from enigm_tuf_client.offer import Check, Offer
    from enigm_tuf_client.request_signing import KeyFile, SignedRequests
    from enigm_tuf_client.store import DirectoryStore
    from enigm_tuf_client.updater import Updater

_HOMES = {
    "Bounds": "enigm_tuf_client.http",
    "Channel": "enigm_tuf.ports",
    "Check": "enigm_tuf_client.offer",
    "DeviceClock": "enigm_tuf.ports",
    "DeviceFacts": "enigm_tuf.trust.eligibility",
    "DeviceKey": "enigm_tuf.ports",
    "DeviceState": "enigm_tuf.ports",
    "DirectorySlots": "enigm_tuf_client.installer",
    "DirectoryStore": "enigm_tuf_client.store",
    "Fetcher": "enigm_tuf.ports",
    "FileFetcher": "enigm_tuf_client.fetch",
    "GateReport": "enigm_tuf.trust.gate_report",
    "HttpFetcher": "enigm_tuf_client.http",
    "Installer": "enigm_tuf.ports",
    "KeyFile": "enigm_tuf_client.request_signing",
    "Offer": "enigm_tuf_client.offer",
    "RequestSigner": "enigm_tuf.ports",
    "SignedRequests": "enigm_tuf_client.request_signing",
    "Store": "enigm_tuf.ports",
    "SystemClock": "enigm_tuf.clock",
    "Tls": "enigm_tuf_client.http",
    "Updater": "enigm_tuf_client.updater",
    "VerifiedArtifact": "enigm_tuf.trust.artifact",
}
__all__ = [
    "Bounds",
    "Channel",
    "Check",
    "DeviceClock",
    "DeviceFacts",
    "DeviceKey",
    "DeviceState",
    "DirectorySlots",
    "DirectoryStore",
    "Fetcher",
    "FileFetcher",
    "GateReport",
    "HttpFetcher",
    "Installer",
    "KeyFile",
    "Offer",
    "RequestSigner",
    "SignedRequests",
    "Store",
    "SystemClock",
    "Tls",
    "Updater",
    "VerifiedArtifact",
]


def __getattr__(name: str) -> object:
    """PEP 562."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
