"""A token in memory that keeps the contract of ``enigm_tuf.ports.Token``, and breaks it where a test says so.

Its keys are real and made at run time. ``signatures`` counts what was signed on the token's side, whatever the
caller got to see of it.
"""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.authorities.tokens.software_keys import make_key, sign, spki_of
from enigm_tuf.errors import MisuseError, NoTokenError, PinLockedError, TokenRemovedError, WrongPinError
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Algorithm, PinCallback, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable

TRIES = 3


class Fault(enum.Enum):
    """What goes wrong at the next signature."""

    PULLED_BEFORE = "pulled out before it signs"
    PULLED_DURING = "pulled out while it signs: a signature is made, nobody sees it"
    PULLED_AFTER = "pulled out when it has signed"
    WRONG_KEY = "signs with another key"
    OTHER_BYTES = "signs other bytes"
    LIES = "signs other bytes, and its own check says nothing"


@dataclass
class FakeToken:
    """Implements ``enigm_tuf.ports.Token``. ``keys`` by label; a label with two keys is a duplicate."""

    label: str
    pin: str
    serial: str = "1"
    firmware: str = "1.0"
    fault: Fault | None = None
    wait: Callable[[], None] = lambda: None
    """Called before each signature: what a slow token waits for."""
    keys: dict[str, list[Any]] = field(default_factory=dict)
    tries: int = TRIES
    there: bool = True
    signatures: int = 0

    SECRETS: ClassVar[tuple[str, ...]] = ("PIN",)

    def initialise(self, *secrets: str) -> None:
        (self.pin,) = secrets

    def copy(self) -> "FakeToken":
        """Another token with the same keys."""
        return replace(self, keys={label: list(keys) for label, keys in self.keys.items()})

    def identity(self) -> TokenIdentity:
        self.require_there()
        return TokenIdentity("hsm", "enigm_testkit", "FakeToken", self.serial, self.firmware, self.label)

    @contextmanager
    def session(self, pin: PinCallback) -> Iterator["FakeSession"]:
        self.require_there()
        if not self.tries:
            raise PinLockedError(f"token {self.label}: the PIN is locked", hint="the security officer resets it")
        if pin(f"PIN of token {self.label}") != self.pin:
            self.tries -= 1
            if not self.tries:
                raise PinLockedError(f"token {self.label}: the PIN is locked", hint="the security officer resets it")
            raise WrongPinError(f"token {self.label}", self.tries)
        self.tries = TRIES
        session = FakeSession(self)
        try:
            yield session
        finally:
            session.open = False

    def require_there(self) -> None:
        if not self.there:
            raise NoTokenError(f"{self.label}: no such token")

    def duplicate(self, label: str) -> None:
        """A second key under the same label, as no good token has it."""
        self.keys[label].append(make_key(algorithm_of(spki_of(self.keys[label][0]))))


class FakeSession:
    """Implements ``enigm_tuf.ports.TokenSession``."""

    def __init__(self, token: FakeToken) -> None:
        self._token = token
        self.open = True

    @property
    def identity(self) -> TokenIdentity:
        self._require_open()
        return self._token.identity()

    def keys(self) -> tuple[TokenKey, ...]:
        self._require_open()
        return tuple(self._key(label) for label in sorted(self._token.keys))

    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        self._require_open()
        if label in self._token.keys:
            raise MisuseError(f"token {self._token.label} has a key {label} already", hint="choose another label")
        self._token.keys[label] = [make_key(algorithm)]
        return self._key(label)

    def sign(self, label: str, message: Signable) -> bytes:
        self._require_open()
        key, fault = self._key(label), self._token.fault
        if fault is Fault.PULLED_BEFORE:
            self._pull()
        self._token.wait()
        private = make_key(key.algorithm) if fault is Fault.WRONG_KEY else self._token.keys[label][0]
        data = message.data + b"!" if fault in {Fault.OTHER_BYTES, Fault.LIES} else message.data
        signature = sign(private, data)
        self._token.signatures += 1
        if fault is Fault.PULLED_DURING:
            self._pull()
        self._token.there = fault is not Fault.PULLED_AFTER
        if fault is not Fault.LIES:
            require_valid(key.spki, signature, message.data, f"{self._token.label}, key {label}")
        return signature

    def attestation(self, label: str) -> tuple[bytes, ...]:
        del label
        return ()

    def objects(self) -> tuple[TokenObject, ...]:
        self._require_open()
        kinds = ("private-key", "public-key")
        return tuple(
            TokenObject(kind, label, label.encode().hex(), sha256(spki_of(private)), dict(ATTRIBUTES))
            for label, privates in sorted(self._token.keys.items())
            for private in privates
            for kind in kinds
        )

    def destroy(self, label: str) -> None:
        self._key(label)
        del self._token.keys[label]

    def _key(self, label: str) -> TokenKey:
        self._require_open()
        keys = self._token.keys.get(label, [])
        if len(keys) > 1:
            raise MisuseError(f"token {self._token.label} has {len(keys)} keys {label}", hint="labels must be unique")
        if not keys:
            there = ", ".join(sorted(self._token.keys)) or "none"
            raise MisuseError(f"{self._token.label} has no key {label}; it has: {there}")
        spki = spki_of(keys[0])
        return TokenKey(label, algorithm_of(spki), spki, dict(ATTRIBUTES))

    def _require_open(self) -> None:
        if not self.open:
            raise MisuseError(f"token {self._token.label}: the session is over; log in again")
        if not self._token.there:
            raise TokenRemovedError(f"token {self._token.label}: went away")

    def _pull(self) -> None:
        self._token.there = False
        self._require_open()


ATTRIBUTES: dict[str, bool | str] = {"extractable": False, "sensitive": True, "local": True}
