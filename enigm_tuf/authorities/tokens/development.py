"""DEVELOPMENT KEYS IN A FILE, for people who have no token at hand. Never anything but environment ``development``.

The file can be copied, so nobody can say how many people can sign with it. Trust refuses such a key in any other
environment (ENVIRONMENT-MATCH), whatever a key record claims.
"""

import contextlib
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
)

from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.authorities.tokens.software_keys import make_key, sign, spki_of
from enigm_tuf.durable import replace_file, write_new
from enigm_tuf.errors import MisuseError, NoTokenError, StateError, WrongPinError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import BASE64
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.model.shapes import NAME, WORD, Record, Table
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.ports import Algorithm, PinCallback, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable


@dataclass(frozen=True, slots=True)
class KeyFile:
    """``keys`` by label: base64 PKCS#8, encrypted under the file's PIN. ``serial`` is random, made once."""

    serial: str
    keys: dict[str, str]


_KEY_FILE = Record(KeyFile, 1, serial=WORD, keys=Table(NAME, BASE64))


class DevelopmentToken:
    """Implements ``enigm_tuf.ports.Token`` on a key file that only its owner can read."""

    SECRETS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, file: Path) -> None:
        self._file = file

    def initialise(self, *secrets: str) -> None:
        """Make an empty key file; MisuseError if there is one. Its PIN is the one of the first key."""
        del secrets
        content = KeyFile(sha256(os.urandom(32))[:16], {})
        write_new(self._file, encode(_KEY_FILE.write(content)), mode=0o600)

    def identity(self) -> TokenIdentity:
        """Says loudly what it is."""
        serial = self._read().serial
        return TokenIdentity("development", "enigm_tuf", "DEVELOPMENT KEY FILE", serial, "0", self._file.name)

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["DevelopmentSession"]:
        """The PIN is the passphrase of the keys; it is tried on those that are there."""
        content, secret = self._read(), bytearray(pin(f"PIN of key file {self._file.name}").encode())
        try:
            for data in content.keys.values():
                _decrypt(data, bytes(secret), self._file)
            yield DevelopmentSession(self.identity(), self._file, content, secret)
        finally:
            secret[:] = bytes(len(secret))

    def _read(self) -> KeyFile:
        try:
            mode = self._file.stat().st_mode
            data = self._file.read_bytes()
        except OSError as error:
            raise NoTokenError(f"{self._file}: {error.strerror}") from error
        if stat.S_IMODE(mode) & 0o077:
            raise StateError(f"{self._file}: others can read it", hint=f"chmod 600 {self._file}")
        return _KEY_FILE.read(parse(data, source=str(self._file), max_bytes=LIMITS.document_bytes), str(self._file))


class DevelopmentSession:
    """Implements ``enigm_tuf.ports.TokenSession``."""

    def __init__(self, identity: TokenIdentity, file: Path, content: KeyFile, secret: bytearray) -> None:
        self._identity = identity
        self._file = file
        self._content = content
        self._secret = secret

    @property
    def identity(self) -> TokenIdentity:
        return self._identity

    def keys(self) -> tuple[TokenKey, ...]:
        """All keys in the file, by label."""
        return tuple(self._key(label) for label in sorted(self._content.keys))

    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """A new key, written to the file at once."""
        NAME.read(label, str(self._file), "label")
        if label in self._content.keys:
            raise MisuseError(f"{self._file} has a key {label} already", hint="choose another label")
        encryption = BestAvailableEncryption(bytes(self._secret))
        private = make_key(algorithm)
        pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)
        self._replace(self._content.keys | {label: b64encode(pkcs8).decode()})
        return self._key(label)

    def sign(self, label: str, message: Signable) -> bytes:
        """A signature in TUF's scheme, verified before it is returned."""
        key = self._key(label)
        signature = sign(self._private(label), message.data)
        require_valid(key.spki, signature, message.data, f"{self._file.name}, key {label}")
        return signature

    def objects(self) -> tuple[TokenObject, ...]:
        """The keys in the file."""
        return tuple(TokenObject("private-key", key.label, "", sha256(key.spki), key.attributes) for key in self.keys())

    def destroy(self, label: str) -> None:
        """Take the key out of the file."""
        self._private(label)
        self._replace({name: key for name, key in self._content.keys.items() if name != label})

    def attestation(self, label: str) -> tuple[bytes, ...]:
        """Nobody vouches for a file."""
        del label
        return ()

    def _replace(self, keys: dict[str, str]) -> None:
        content = KeyFile(self._content.serial, keys)
        replace_file(self._file, encode(_KEY_FILE.write(content)), mode=0o600)
        self._content = content

    def _key(self, label: str) -> TokenKey:
        spki = spki_of(self._private(label))
        return TokenKey(label, algorithm_of(spki), spki, {"hardware": False})

    def _private(self, label: str) -> Any:
        if label not in self._content.keys:
            there = ", ".join(sorted(self._content.keys)) or "none"
            raise MisuseError(f"{self._file} has no key {label}; it has: {there}")
        return _decrypt(self._content.keys[label], bytes(self._secret), self._file)


def _decrypt(data: str, secret: bytes, file: Path) -> Any:
    try:
        return load_der_private_key(b64decode(data), secret)
    except (ValueError, TypeError) as error:
        raise WrongPinError(f"key file {file.name}", None) from error
