"""A device's directory, as ``enigm-update`` lays it out: device.toml, store/, slots/."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.shapes import NAME, WORD, Record, Sequence, Text
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.fetch import HttpFetcher
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore

CONFIGURATION = "device.toml"


@dataclass(frozen=True, slots=True)
class DeviceConfiguration:
    """device.toml: who the device is and where it asks."""

    environment: Environment
    product: str
    hardware_id: str
    channel: str
    device_id: str
    cohorts: tuple[str, ...]
    url: str

    def facts(self) -> DeviceFacts:
        return DeviceFacts(
            self.environment, self.product, self.hardware_id, self.channel, self.device_id, frozenset(self.cohorts)
        )


DEVICE_CONFIGURATION = Record(
    DeviceConfiguration,
    environment=ENVIRONMENT,
    product=NAME,
    hardware_id=NAME,
    channel=NAME,
    device_id=WORD,
    cohorts=Sequence(NAME, maximum=100, unique=True),
    url=Text(r"https?://[^\s?#]+", "an http or https URL"),
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

    @property
    def fetcher(self) -> HttpFetcher:
        return HttpFetcher(self.configuration.url)


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
