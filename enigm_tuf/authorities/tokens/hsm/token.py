"""Tokens behind PKCS#11, as the authority sees them: any module, in a process of its own.

A process is started for each session and ended with it. It compares the attributes of the key before each signature,
and makes none if they differ. What comes back from it is checked here once more: the attributes, and the signature by
the cryptography library.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from enigm_tuf.authorities.tokens.hsm.attributes import first_difference, key_class_of, require_attributes
from enigm_tuf.authorities.tokens.hsm.messages import (
    NonsenseError,
    read_identity,
    read_key,
    read_list,
    read_object,
    read_opened,
    read_signed,
)
from enigm_tuf.authorities.tokens.hsm.process import SECONDS, Worker
from enigm_tuf.authorities.tokens.hsm.vendors import Vendor, vendor_of
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.authorities.tokens.self_check import SelfCheck, digest_for
from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError
from enigm_tuf.model.keys import KeyClass
from enigm_tuf.model.public_keys import algorithm_of, message_of, tuf_key
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Algorithm, PinCallback, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable

T = TypeVar("T")
S = TypeVar("S", bound="Pkcs11Session")


@dataclass(frozen=True, slots=True)
class TokenName:
    """Which token of which module; ``wanted`` holds what RFC 7512 calls token, serial, manufacturer and model."""

    module: str
    wanted: dict[str, str]

    def __str__(self) -> str:
        return self.wanted.get("label") or ", ".join(f"{what} {value}" for what, value in self.wanted.items())


class Pkcs11Token:
    """Implements ``enigm_tuf.ports.Token``. ``seconds``: how long the module may take for one answer."""

    SECRETS: ClassVar[tuple[str, ...]] = ("SO PIN", "user PIN")
    UNBLOCK_SECRETS: ClassVar[tuple[str, ...]] = ("SO PIN", "new user PIN")

    def __init__(self, name: TokenName, seconds: float = SECONDS) -> None:
        self._name = name
        self._seconds = seconds

    def initialise(self, *secrets: str) -> None:
        """Give the first uninitialised token of the module this label and these PINs (C_InitToken, C_InitPIN)."""
        so_pin, user_pin = (bytearray(secret.encode()) for secret in secrets)
        if "label" not in self._name.wanted:
            raise MisuseError("a new token needs a label: pkcs11:token=LABEL?module-path=FILE")
        with self._worker() as worker:
            worker.call("initialise", so_pin, user_pin, label=self._name.wanted["label"])

    def unblock(self, *secrets: str) -> None:
        """The security officer sets a new user PIN (C_InitPIN); the keys stay. WrongPinError: of the SO PIN."""
        so_pin, user_pin = (bytearray(secret.encode()) for secret in secrets)
        with self._worker() as worker:
            worker.call("unblock", so_pin, user_pin, wanted=self._name.wanted)

    def identity(self) -> TokenIdentity:
        """Read without a PIN; NoTokenError, ModuleCrashedError, ModuleTimeoutError."""
        with self._worker() as worker:
            return _read(worker, "identity", read_identity, wanted=self._name.wanted)

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["Pkcs11Session"]:
        """Log in with the PIN that ``pin`` gives; log out whatever happens."""
        with self._logged_in(pin, Pkcs11Session) as session:
            yield session

    @contextlib.contextmanager
    def _logged_in(self, pin: PinCallback, kind: type[S]) -> Iterator[S]:
        with self._worker() as worker:
            _read(worker, "identity", read_identity, wanted=self._name.wanted)  # before a PIN is asked for
            secret = bytearray(pin(f"PIN of token {self._name}").encode())
            identity, library = _read(worker, "open", read_opened, secret, wanted=self._name.wanted)
            session = kind(identity, vendor_of(library, identity.manufacturer), worker)
            try:
                yield session
            finally:
                session.close()

    @contextlib.contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = Worker(self._name.module, self._seconds)
        try:
            yield worker
        finally:
            worker.end()


class Pkcs11Session:
    """Implements ``enigm_tuf.ports.TokenSession``. Nothing here can export a key."""

    def __init__(self, identity: TokenIdentity, vendor: Vendor, worker: Worker) -> None:
        self._identity = identity
        self._vendor = vendor
        self._worker = worker
        self._open = True
        self._known: dict[str, tuple[TokenKey, SelfCheck]] = {}  # by label; a signature reads the attributes anew

    @property
    def identity(self) -> TokenIdentity:
        return self._identity

    def keys(self) -> tuple[TokenKey, ...]:
        """All key pairs with both halves on the token, by label."""
        return self._ask("keys", lambda value: tuple(_checked(read_key(item)) for item in read_list(value)))

    def generate(self, label: str, algorithm: Algorithm, key_class: KeyClass = "non-extractable") -> TokenKey:
        """A new key pair; RefusedError TOKEN-ATTRIBUTES if the token gave it other attributes than asked."""
        if not self._vendor.generates:
            raise MisuseError(
                f"token {self._identity.label}: its module makes no keys", hint="make them with the maker's own tool"
            )
        asked = {"label": label, "algorithm": algorithm, "key_class": key_class}
        key = self._ask("generate", lambda value: _checked(read_key(value)), **asked)
        require_attributes(key, self._vendor)
        if key_class_of(key.attributes) != key_class:
            raise RefusedError(
                TokenRule.TOKEN_ATTRIBUTES, f"key {label}", expected=key_class, got=key_class_of(key.attributes)
            )
        return key

    def sign(self, label: str, message: Signable) -> bytes:
        """A signature in TUF's scheme, verified before it is returned. One round trip, once the key is known."""
        if label not in self._known:
            found = self._ask("key", lambda value: _checked(read_key(value)), label=label)
            self._known[label] = found, SelfCheck(found.spki)
        key, check = self._known[label]
        data = _for_token(key, message.data).hex()
        signature = self._ask(
            "sign", lambda value: self._signature(key, value), label=label, algorithm=key.algorithm, data=data
        )
        check.require(signature, message.data, f"{self._identity.label}, key {label}")
        return signature

    def objects(self) -> tuple[TokenObject, ...]:
        """All objects of the token, whatever they are."""
        return self._ask("objects", lambda value: tuple(read_object(item) for item in read_list(value)))

    def destroy(self, label: str) -> None:
        """C_DestroyObject on both halves."""
        self._known.pop(label, None)
        self._ask("destroy", lambda _: None, label=label)

    def attestation(self, label: str) -> tuple[bytes, ...]:
        """PKCS#11 has no attestation: attributes read back, and the custodian's word."""
        del label
        return ()

    def close(self) -> None:
        """Log out. Whatever state the module is in, its process ends after this."""
        if self._open:
            self._open = False
            with contextlib.suppress(EnigmTufError):
                self._worker.call("close")

    def _ask(self, name: str, read: Callable[[Any], T], **arguments: Any) -> T:
        if not self._open:
            raise MisuseError(f"token {self._identity.label}: the session is over; log in again")
        return _read(self._worker, name, read, **arguments)

    def _signature(self, key: TokenKey, value: Any) -> bytes:
        """RefusedError TOKEN-ATTRIBUTES for what the worker refused, and did not sign; NonsenseError if it did."""
        attributes, signature = read_signed(value)
        now = replace(key, attributes=attributes)
        if signature is None:
            require_attributes(now, self._vendor)
            raise NonsenseError("no signature, and no reason")
        if first_difference(now, self._vendor):
            raise NonsenseError("a signature by a key that may not sign")
        return signature


def list_tokens(module: str) -> tuple[TokenIdentity, ...]:
    """Every initialised token of a module; NoTokenError if the module does not load."""
    worker = Worker(module)
    try:
        return _read(worker, "list", lambda value: tuple(read_identity(item) for item in read_list(value)))
    finally:
        worker.end()


def _read(worker: Worker, name: str, read: Callable[[Any], T], *secrets: bytearray, **arguments: Any) -> T:
    value = worker.call(name, *secrets, **arguments)
    try:
        return read(value)
    except NonsenseError as error:
        raise worker.nonsense(name, error) from error


def _checked(key: TokenKey) -> TokenKey:
    """The algorithm is what the public key says, whatever the module says."""
    if key.algorithm != algorithm_of(key.spki):
        raise NonsenseError("a key of another algorithm than it says")
    return key


def _for_token(key: TokenKey, data: bytes) -> bytes:
    """What C_Sign gets: a digest for ECDSA and RSA-PSS, else the message."""
    if key.algorithm in {"ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"}:
        return message_of(tuf_key(key.spki).keytype, data)
    return digest_for(key.algorithm, data)
