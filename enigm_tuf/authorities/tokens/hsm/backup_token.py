"""Tokens behind PKCS#11 for backups: the security officers' wrapping keys, and a session that wraps and restores.

As everywhere, what comes back from the worker is compared and verified here.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey

from enigm_tuf.authorities.tokens.hsm.attributes import is_restored, require_attributes
from enigm_tuf.authorities.tokens.hsm.messages import NonsenseError, read_bytes, read_identity, read_key, read_object
from enigm_tuf.authorities.tokens.hsm.process import Worker
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session, Pkcs11Token, _checked, _for_token, _read
from enigm_tuf.authorities.tokens.hsm.wrapping_attributes import require_wrapping_attributes
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.model.wrapping import WRAP_MECHANISMS, Use, WrapMechanism
from enigm_tuf.ports import PinCallback, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped key, and under which wrapping key (CKA_ID in hex) and how."""

    blob: bytes
    wrapping_key: str
    mechanism: WrapMechanism


class BackupToken(Pkcs11Token):
    """A PKCS#11 token whose keys may be copied under a wrapping key."""

    @contextlib.contextmanager
    def backup_session(self, pin: PinCallback) -> Iterator["BackupSession"]:
        """As ``session``."""
        with self._logged_in(pin, BackupSession) as session:
            yield session

    @contextlib.contextmanager
    def officer(self, pin: PinCallback) -> Iterator["OfficerSession"]:
        """Log in with the SO PIN that ``pin`` gives; WrongPinError: of the SO PIN."""
        with self._worker() as worker:
            asked = {"wanted": self._name.wanted}
            _read(worker, "identity", read_identity, **asked)  # before a PIN is asked for
            secret = bytearray(pin(f"SO PIN of token {self._name}").encode())
            identity, wraps = _read(worker, "open_officer", _read_officer, secret, **asked)
            session = OfficerSession(identity, wraps, worker)
            try:
                yield session
            finally:
                session.close()


class OfficerSession:
    """A token while its security officer is logged in. ``wraps``: the mechanisms that it could wrap with."""

    def __init__(self, identity: TokenIdentity, wraps: tuple[WrapMechanism, ...], worker: Worker) -> None:
        self.identity, self.wraps, self._worker = identity, wraps, worker

    def offer(self, identifier: str, label: str) -> str:
        """The public point of a new key pair, which lives as long as this session."""
        return _read(self._worker, "offer", _read_point, identifier=identifier, label=label)

    def agree(self, peer: str, identifier: str, label: str, use: Use, mechanism: WrapMechanism) -> TokenObject:
        """The wrapping key that both sides now have; RefusedError TOKEN-WRAPPING if it is not as it must be."""
        asked = {"identifier": identifier, "label": label, "use": use, "mechanism": mechanism}
        made = _read(self._worker, "agree", read_object, peer=peer, **asked)
        require_wrapping_attributes(made.attributes, use, mechanism, f"token {self.identity.label}, key {label}")
        return made

    def destroy(self, identifier: str) -> None:
        """Take a wrapping key back."""
        _read(self._worker, "destroy_wrapping", _nothing, identifier=identifier)

    def close(self) -> None:
        """Log out."""
        self._worker.call("close")


class BackupSession(Pkcs11Session):
    """A token while its custodian is logged in, with what backups need. Nothing leaves it but wrapped."""

    def wrap(self, label: str, wrapping_key: str, mechanism: WrapMechanism) -> Wrapped:
        """The key, wrapped; MisuseError where the token does not wrap it."""
        asked = {"label": label, "identifier": wrapping_key, "mechanism": mechanism}
        return Wrapped(self._ask("wrap", read_bytes, **asked), wrapping_key, mechanism)

    def prove(self, wrapped: Wrapped, spki: bytes, message: Signable) -> bytes:
        """A signature by the key that is in there, verified with ``spki``; the key is gone again afterwards.

        RefusedError TOKEN-WRAPPING if the token would give the key in the clear, SIGNATURE-SELF-CHECK if it is
        another key.
        """
        algorithm = algorithm_of(spki)
        asked = {**_named(wrapped), "algorithm": algorithm}
        if self._ask("unwraps_in_the_clear", _read_flag, **asked):
            raise RefusedError(
                TokenRule.TOKEN_WRAPPING,
                f"token {self.identity.label}, wrapping key {wrapped.wrapping_key}",
                expected="an unwrapped key that is SENSITIVE whatever is asked",
                got="one in the clear",
                hint="this module ignores CKA_UNWRAP_TEMPLATE: it is no place for a copy",
            )
        data = _for_token(TokenKey("", algorithm, spki, {}), message.data).hex()
        signature = self._ask("prove", read_bytes, **asked, data=data)
        require_valid(spki, signature, message.data, f"{self.identity.label}, restored key")
        return signature

    def restore(self, wrapped: Wrapped, spki: bytes, label: str) -> TokenKey:
        """The key, on this token for good; if it is not as it must be, RefusedError TOKEN-ATTRIBUTES, and no key."""
        asked = {**_named(wrapped), "algorithm": algorithm_of(spki), "label": label, "spki": spki.hex()}
        key = self._ask("restore", lambda value: _checked(read_key(value)), **asked)
        try:
            require_attributes(key, self._vendor)
            _require_restored(key)
        except RefusedError:
            self.destroy(label)
            raise
        return key


def _require_restored(key: TokenKey) -> None:
    if not is_restored(key.attributes):
        raise RefusedError(
            TokenRule.TOKEN_ATTRIBUTES, f"key {key.label}", expected="a restored key", got="one made there"
        )


def _named(wrapped: Wrapped) -> dict[str, Any]:
    return {"blob": wrapped.blob.hex(), "identifier": wrapped.wrapping_key, "mechanism": wrapped.mechanism}


def _read_officer(value: Any) -> tuple[TokenIdentity, tuple[WrapMechanism, ...]]:
    if not isinstance(value, dict) or value.keys() != {"identity", "wraps"} or not isinstance(value["wraps"], list):
        raise NonsenseError("opened token of another shape")
    return read_identity(value["identity"]), tuple(name for name in WRAP_MECHANISMS if name in value["wraps"])


def _read_point(value: Any) -> str:
    """A point of P-384, uncompressed."""
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP384R1(), read_bytes(value))
    except ValueError as error:
        raise NonsenseError("no point of P-384") from error
    return str(value)


def _read_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NonsenseError("neither true nor false")
    return value


def _nothing(value: Any) -> None:
    del value
