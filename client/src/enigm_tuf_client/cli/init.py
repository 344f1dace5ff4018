"""enigm-update init: give a device the root metadata that it was shipped with."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, replace_file
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import trust_root
from enigm_tuf_client.device import CONFIGURATION, Device, add_device_option, parse_configuration

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_device_option(parser)
    parser.add_argument("--root", required=True, metavar="FILE", help="the shipped root, for example 1.root.json")
    parser.add_argument("--config", required=True, metavar="FILE", help="device.toml: who this device is")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    given = read_input(Path(arguments.config), LIMITS.document_bytes)
    configuration = parse_configuration(given, arguments.config)
    device = Device(Path(arguments.device), configuration)
    if (device.directory / CONFIGURATION).exists():
        raise MisuseError(f"{device.directory} is a device already", hint="its trusted root is never replaced by hand")
    root = read_input(Path(arguments.root), LIMITS.root_bytes)
    admission = AuthorityAdmission(configuration.environment)
    trusted = trust_root(root, edges.clock.now(), admission, source=arguments.root)
    device.directory.mkdir(parents=True, exist_ok=True)
    device.store.commit(DeviceState(metadata={"root": root}))
    replace_file(device.directory / CONFIGURATION, given)
    version = trusted.root.value.version
    data = {"root_version": version, "environment": configuration.environment, "product": configuration.product}
    line = f"{device.directory}: {configuration.product}, {configuration.environment}, root version {version}"
    return Outcome(data, [line])


COMMAND: "Command[Edges]" = Command(
    name="init",
    summary="Give a device the root metadata that it was shipped with.",
    examples="enigm-update init --device /var/lib/enigm --root 1.root.json --config device.toml",
    configure=configure,
    run=run,
)
