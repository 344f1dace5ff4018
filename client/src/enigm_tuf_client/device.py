"""A device's directory, as ``enigm-update`` lays it out: device.toml, store/, slots/."""

import argparse
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from enigm_tuf.clock import NoClock
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MalformedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.shapes import NAME, WORD, Boolean, Choice, Integer, Optional, Record, Sequence, Text
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.ports import Clock, DeviceClock, Fetcher, RequestSigner
from enigm_tuf.trust.eligibility import Conditions, DeviceFacts
from enigm_tuf_client.fetch import HttpFetcher, Tls
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.media import BundleFetcher
from enigm_tuf_client.store import DirectoryStore

CONFIGURATION = "device.toml"
_EVIDENCE_BYTES = 6_000  # with base64 it must fit into what servers take as headers
URL = Text(r"https?://[^\s?#]+", "an http or https URL")
WINDOW = Text(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]", "hours in local time such as 01:00-05:00")


@dataclass(frozen=True, slots=True)
class DeviceConfiguration:
    """device.toml: who the device is, where it asks, and what its owner demands of the moment. Files are relative to
    the device's directory."""

    environment: Environment
    product: str
    hardware_id: str
    channel: str
    device_id: str
    cohorts: tuple[str, ...]
    url: str
    mirrors: tuple[str, ...] | None
    proxy: str | None
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    request_key_file: str | None
    request_keyid: str | None
    evidence_file: str | None
    clock: str | None
    enrolled: bool | None
    minimum_battery_percent: int | None
    maintenance_window: str | None

    def conditions(self) -> Conditions:
        window = None
        if self.maintenance_window:
            first, last = (int(time[:2]) * 60 + int(time[3:]) for time in self.maintenance_window.split("-"))
            window = (first, last)
        return Conditions(self.minimum_battery_percent, window)


DEVICE_CONFIGURATION = Record(
    DeviceConfiguration,
    environment=ENVIRONMENT,
    product=NAME,
    hardware_id=NAME,
    channel=NAME,
    device_id=WORD,
    cohorts=Sequence(NAME, maximum=100, unique=True),
    url=URL,
    mirrors=Optional(Sequence(URL, maximum=10, unique=True)),
    proxy=Optional(Text(r"http://[^\s?#]+", "http://host:port")),
    ca_file=Optional(WORD),
    certificate_file=Optional(WORD),
    key_file=Optional(WORD),
    request_key_file=Optional(WORD),
    request_keyid=Optional(Text(r"[A-Za-z0-9._:/-]+", "a key's name of letters, digits and . _ : / -", 200)),
    evidence_file=Optional(WORD),
    clock=Optional(Choice(("system", "none"))),
    enrolled=Optional(Boolean()),
    minimum_battery_percent=Optional(Integer(0, 100)),
    maintenance_window=Optional(WINDOW),
)


@dataclass(frozen=True, slots=True)
class Device:
    """The parts of one device's directory."""

    directory: Path
    configuration: DeviceConfiguration

    @property
    def store(self) -> DirectoryStore:
        return DirectoryStore(self.directory / "store")

    @property
    def slots(self) -> DirectorySlots:
        return DirectorySlots(self.directory / "slots")

    def fetchers(self, bundle: str | None, clock: Clock) -> tuple[Fetcher, ...]:
        """The bundle alone, or the servers in order; MisuseError for a URL or a file that cannot be used."""
        if bundle is not None:
            return (BundleFetcher(Path(bundle)),)
        urls, proxy = (self.configuration.url, *(self.configuration.mirrors or ())), self.configuration.proxy
        signer = self._signer(self.clock(clock))
        return tuple(HttpFetcher(url, tls=self._tls(url), proxy=proxy, signer=signer) for url in urls)

    def clock(self, clock: Clock) -> DeviceClock:
        """``clock``, or none where device.toml says that there is none."""
        return NoClock() if self.configuration.clock == "none" else clock

    def facts(self, given: argparse.Namespace, now: datetime) -> DeviceFacts:
        """What the configuration and the caller say, and what can be measured here."""
        configuration, local = self.configuration, now.astimezone()
        return DeviceFacts(
            environment=configuration.environment,
            product=configuration.product,
            hardware_id=configuration.hardware_id,
            channel=configuration.channel,
            device_id=configuration.device_id,
            cohorts=frozenset(configuration.cohorts),
            enrolled=configuration.enrolled,
            battery_percent=given.battery,
            charging=given.charging,
            free_bytes=given.free_bytes if given.free_bytes is not None else _free(self.directory),
            local_minute=None if configuration.clock == "none" else local.hour * 60 + local.minute,
            conditions=configuration.conditions(),
        )

    def _signer(self, clock: DeviceClock) -> RequestSigner | None:
        configuration = self.configuration
        if configuration.request_key_file is None or configuration.request_keyid is None:
            if configuration.request_key_file or configuration.request_keyid or configuration.evidence_file:
                rule = "a request key has a file and a keyid, and evidence travels in signed requests only"
                raise MalformedError(CONFIGURATION, "request_key_file", rule)
            return None
        from enigm_tuf_client.request_signing import KeyFile, SignedRequests

        key = KeyFile(self.directory / configuration.request_key_file, configuration.request_keyid)
        if configuration.evidence_file is None:
            return SignedRequests(key, clock)
        evidence = self.directory / configuration.evidence_file
        return SignedRequests(key, clock, lambda: _evidence(evidence))

    def _tls(self, url: str) -> Tls | None:
        configuration = self.configuration
        if not url.startswith("https://"):
            return None
        names = (configuration.ca_file, configuration.certificate_file, configuration.key_file)
        ca, certificate, key = (str(self.directory / name) if name else None for name in names)
        return Tls(ca_file=ca, certificate_file=certificate, key_file=key)


def parse_configuration(data: bytes, source: str) -> DeviceConfiguration:
    """Parse device.toml strictly; MalformedError."""
    return DEVICE_CONFIGURATION.read(parse_toml(data, source), source)


def open_device(arguments: argparse.Namespace) -> Device:
    """The device that ``--device`` names."""
    directory = Path(arguments.device)
    file = directory / CONFIGURATION
    return Device(directory, parse_configuration(read_input(file, LIMITS.document_bytes), str(file)))


def add_device_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", metavar="DIR", default=".", help="the device's directory (default: here)")


def add_moment_options(parser: argparse.ArgumentParser) -> None:
    """Where to ask, and what the caller knows of the moment."""
    add_device_option(parser)
    parser.add_argument("--bundle", metavar="FILE", help="read this bundle from removable media; ask no server")
    parser.add_argument("--battery", metavar="PERCENT", type=_percent, help="the battery's level now, 0 to 100")
    parser.add_argument("--charging", action="store_true", default=None, help="the device is being charged")
    parser.add_argument("--free-bytes", metavar="N", type=int, help="room for the payload (default: as measured here)")


def _evidence(file: Path) -> bytes:
    data = read_input(file, _EVIDENCE_BYTES)
    if len(data) > _EVIDENCE_BYTES:
        raise MalformedError(str(file), "", f"at most {_EVIDENCE_BYTES:,} bytes of evidence")
    return data


def _percent(text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r:.20} does not lie in 0..100")
    return int(text)


def _free(directory: Path) -> int:
    try:
        found = os.statvfs(directory)
    except OSError as error:
        raise StateError(f"{directory}: {error.strerror}") from error
    return found.f_bavail * found.f_frsize
