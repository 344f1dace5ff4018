"""A house in which a payload key may have copies, its spare token, and the people who make and try the copies."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pkcs11

from enigm_testkit.house import PIN, House, build_house, copy_house
from enigm_testkit.softhsm import MODULE, SO_PIN, make_token
from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.enrolment import described
from enigm_tuf.authorities.tokens.hsm import wrapping_module
from enigm_tuf.authorities.tokens.hsm.messages import read_identity, read_object
from enigm_tuf.authorities.tokens.hsm.wrapping_module import WrappingModule
from enigm_tuf.model.backup import Backup, read_backup
from enigm_tuf.model.keys import attribute_records
from enigm_tuf.model.wrapping import Use, WrappingKey, WrappingPlace, read_wrapping_key, write_wrapping_key

SPARE_PIN = "975310"


@dataclass
class Vault:
    """``house`` with payload-a of the class wrapped-backup, and the tokens ``spare`` and ``other`` beside it."""

    house: House

    @property
    def home(self) -> Path:
        return self.house.home("release")

    def file(self, name: str) -> Path:
        return self.house.path / name

    def make_wrapping(self, name: str = "kek", on: str = "payload-a", spare: str = "spare", **answers: str) -> int:
        two = ["--token", self.house.uri(on), "--spare", self.house.uri(spare)]
        out = self.file(f"{name}.wrapping.json")
        arguments = ["wrapping", "make", "--home", self.home, *two, "--label", name, "--out", out]
        return self.house.sign(*arguments, **answers)

    def wrapping(self, name: str = "kek") -> WrappingKey:
        path = self.file(f"{name}.wrapping.json")
        return read_wrapping_key(path.read_bytes(), str(path))

    def list_wrapping(self, *names: str) -> None:
        """Into the inventory, by alice and bob."""
        self.adopt(*(part for name in names for part in ("--wrapping", self.file(f"{name}.wrapping.json"))))

    def propose(self, *options: object) -> tuple[Path, list[object]]:
        """The next inventory, and the votes of alice and bob for it."""
        number = len(list(self.house.path.glob("release.inventory.*.json"))) + 1
        proposal = self.file(f"release.inventory.{number}.json")
        assert self.house.sign("inventory", "propose", "--home", self.home, *options, "--out", proposal) == 0
        votes = [self.house.inventory_vote(proposal, "release", who) for who in ("alice", "bob")]
        return proposal, [part for vote in votes for part in ("--vote", vote)]

    def adopt(self, *options: object) -> None:
        proposal, ballots = self.propose(*options)
        assert self.house.sign("inventory", "adopt", proposal, "--home", self.home, *ballots) == 0

    def back_up(self, name: str = "first", on: str = "payload-a", *more: object) -> int:
        who = ["--token", self.house.uri(on), "--label", on]
        out = self.file(f"{name}.backup.json")
        return self.house.sign("key", "backup", "--home", self.home, *who, *more, "--out", out)

    def backup(self, name: str = "first") -> Backup:
        path = self.file(f"{name}.backup.json")
        return read_backup(path.read_bytes(), str(path))

    def prove(self, name: str = "first", spare: str = "spare", out: str = "proof.json", **answers: str) -> int:
        self.file(out).unlink(missing_ok=True)
        return self.house.sign(
            "key", "restore-test", *self._restore(name, spare), "--out", self.file(out), **self._pin(spare, answers)
        )

    def restore(self, name: str = "first", spare: str = "spare", label: str = "payload-a", **answers: str) -> int:
        out = self.file(f"{label}.restored.key.json")
        arguments = ["key", "restore", *self._restore(name, spare), "--label", label, "--out", out]
        return self.house.sign(*arguments, **self._pin(spare, answers))

    def destroy_wrapping(self, name: str, token: str, **answers: str) -> int:
        who = ["--token", self.house.uri(token), "--id", self.wrapping(name).id]
        return self.house.sign("wrapping", "destroy", "--home", self.home, *who, **answers)

    def entries(self, kind: EntryType) -> list[AuditEntry]:
        return [entry for entry in read_log(self.home / "audit.log") if entry.type == kind]

    def _restore(self, name: str, spare: str) -> list[object]:
        return [
            self.file(f"{name}.backup.json"),
            "--home",
            self.home,
            "--token",
            self.house.uri(spare),
            "--witness",
            "grace",
        ]

    def _pin(self, spare: str, answers: dict[str, str]) -> dict[str, str]:
        return {"PIN": SPARE_PIN if spare == "spare" else PIN} | answers


def build_vault(path: Path) -> Vault:
    """The first root is published and trusted; nothing is wrapped yet."""
    house = build_house(path, copied=("payload-a",)).with_root()
    make_token("spare", SPARE_PIN)
    make_token("other", PIN)
    return Vault(house)


def stock_vault(vault: Vault) -> Vault:
    """A wrapping key in the inventory, a backup, and a restore that was proved now."""
    assert vault.make_wrapping() == 0
    vault.list_wrapping("kek")
    assert vault.back_up() == 0
    assert vault.prove() == 0
    return vault


def copy_vault(template: Vault, path: Path) -> Vault:
    """The same in another folder; this process uses its tokens from now on."""
    return Vault(copy_house(template.house, path))


def lax_wrapping(out: Path, token: str, spare: str) -> None:
    """A wrapping key and its record as a module makes them that ignores CKA_UNWRAP_TEMPLATE: called lax."""
    label, identifier = "lax", os.urandom(16).hex()
    sides = [WrappingModule(MODULE), WrappingModule(MODULE)]
    opened = [
        side.do_open_officer(bytearray(SO_PIN.encode()), {"label": name})
        for side, name in zip(sides, (token, spare), strict=True)
    ]
    points = [side.do_offer(identifier, label) for side in sides]
    uses: tuple[Use, Use] = ("wrap", "unwrap")
    places = []
    with mock.patch.object(wrapping_module, "UNWRAPS_INTO", {}):
        for side, point, use, said in zip(sides, reversed(points), uses, opened, strict=True):
            made = read_object(side.do_agree(point, identifier, label, use, "AES_KEY_WRAP_PAD"))
            identity = described(read_identity(said["identity"]))
            places.append(WrappingPlace(identity, use, attribute_records(made.attributes)))
    for side in sides:
        side.do_close()
    pkcs11.lib(MODULE).reinitialize()
    now = datetime.now(UTC).replace(microsecond=0)
    out.write_bytes(
        write_wrapping_key(WrappingKey(identifier, label, "staging", "AES_KEY_WRAP_PAD", tuple(places), now))
    )
