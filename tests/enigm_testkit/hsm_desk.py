"""A desk with an HSM and its custodian, at the command line of enigm-sign: SoftHSM behind a module that counts.

Or any other token that runs here; then the tests count otherwise.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType
from pkcs11.constants import DEFAULT
from pkcs11.util.ec import encode_named_curve_parameters

from enigm_testkit.people import Answers, FixedClock
from enigm_testkit.softhsm import MODULE, SoftHsm
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.authorities.tokens.hsm.attributes import SET
from enigm_tuf.authorities.tokens.hsm.mechanisms import Mapper
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token

PIN = "246813"
CLOCK = FixedClock(datetime(2026, 11, 23, 20, 0, tzinfo=UTC))
TEMPLATE: dict[Attribute, Any] = {Attribute[name.upper()]: value for name, value in SET.items()}


@dataclass
class HsmDesk:
    """Token ``rel-a`` with the key ``root``; ``uri`` goes through the module that counts."""

    hsm: SoftHsm
    spy: SpyModule
    folder: Path
    capsys: pytest.CaptureFixture[str]
    answers: dict[str, str] = field(default_factory=lambda: {"PIN": PIN})

    def uri(self, token: str = "token=rel-a", module: object = None) -> str:  # noqa: S107 - an attribute of a URI
        return f"pkcs11:{token}?module-path={module or self.spy.module}"

    @property
    def record(self) -> Path:
        return self.folder / "root.key.json"

    def run(self, *arguments: str, person: Answers | None = None) -> int:
        self.capsys.readouterr()
        return main(list(arguments), Edges(CLOCK, person or Answers(**self.answers)))

    def enrol(self, uri: str = "", label: str = "root", *more: str, person: Answers | None = None) -> int:
        """Proof of possession is a signature."""
        who = ["--token", uri or self.uri(), "--label", label, "--custodian", "carol", "--out", str(self.record)]
        said = ["--purpose", "root", "--environment", "staging"]
        return self.run("key", "enrol", *who, *said, *more, person=person)

    def said(self) -> tuple[str, str]:
        """The error and the hint, if there is one: one line each, and nothing else."""
        error, *hint = self.capsys.readouterr().err.splitlines()
        assert len(hint) <= 1
        return error.removeprefix("error: "), "".join(hint).removeprefix("hint: ")

    def kind(self) -> str:
        """The class of the error that ``--json`` showed."""
        return str(json.loads(self.capsys.readouterr().out)["error"]["kind"])


def hsm_desk(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> HsmDesk:
    """A module that hangs is given three seconds, not sixty."""
    monkeypatch.setattr(Pkcs11Token.__init__, "__defaults__", (3,))
    hsm = SoftHsm(folder / "softhsm")
    hsm.token("rel-a", PIN)
    desk = HsmDesk(hsm, SpyModule(folder / "spy"), folder, capsys)
    assert desk.run("key", "generate", "--token", desk.uri(), "--label", "root") == 0
    return desk


def make_key(label: str, otherwise: dict[Attribute, Any], pin: str = PIN, on: str = "rel-a") -> None:
    """A key like ours but for one attribute, made beside the tool."""
    session = pkcs11.lib(MODULE).get_token(token_label=on).open(rw=True, user_pin=pin, attribute_mapper=Mapper())
    template = TEMPLATE | {Attribute.ALLOWED_MECHANISMS: "ECDSA"} | otherwise
    public = {Attribute.DERIVE: DEFAULT, Attribute.ENCRYPT: DEFAULT, Attribute.WRAP: DEFAULT, Attribute.VERIFY: True}
    parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    session.create_domain_parameters(KeyType.EC, parameters, local=True).generate_keypair(
        store=True, label=label, id=b"\x01", public_template=public, private_template=template
    )
    session.close()
