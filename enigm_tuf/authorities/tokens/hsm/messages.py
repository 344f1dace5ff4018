"""What a signing process and the worker that holds the PKCS#11 module say to each other.

Frames over a pipe: four bytes of length (big endian), then that many bytes. A call is a frame of JSON, followed by one
frame for each secret in it; an answer is a frame of JSON. Secrets stand in no JSON, and are overwritten once sent.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import (
    EnigmTufError,
    MisuseError,
    NoTokenError,
    PinLockedError,
    TokenError,
    TokenRemovedError,
    WrongPinError,
)
from enigm_tuf.ports import TokenIdentity, TokenKey, TokenObject

HEADER = struct.Struct(">I")
FRAME_BYTES = 64 * 2**20
"""More than the longest metadata that is signed (limits), in hex."""

Receive = Callable[[int], bytes]
"""Exactly that many bytes; EOFError if there are fewer."""

_ERRORS: dict[str, type[EnigmTufError]] = {
    kind.__name__: kind
    for kind in (MisuseError, NoTokenError, PinLockedError, TokenError, TokenRemovedError, WrongPinError)
}


class NonsenseError(Exception):
    """The other side sent something that is no message."""


@dataclass(frozen=True, slots=True)
class Call:
    """``arguments`` are texts, numbers and hex; ``secrets`` are bytes that nobody else has."""

    name: str
    arguments: dict[str, Any]
    secrets: tuple[bytearray, ...] = ()


def frame(data: bytes | bytearray) -> bytearray:
    """One frame. A bytearray, so that a secret in it can be overwritten."""
    return bytearray(HEADER.pack(len(data))) + data


def read_frame(receive: Receive) -> bytes:
    """The next frame's content; NonsenseError if it says that it is longer than any is."""
    (length,) = HEADER.unpack(receive(HEADER.size))
    if length > FRAME_BYTES:
        raise NonsenseError(f"a message of {length} bytes")
    return receive(length)


def call_frames(call: Call) -> list[bytearray]:
    """A call, and its secrets behind it. The caller overwrites all of them."""
    head = {"call": call.name, "arguments": call.arguments, "secrets": len(call.secrets)}
    return [frame(json.dumps(head).encode()), *(frame(secret) for secret in call.secrets)]


def read_call(receive: Receive) -> Call:
    """The next call; EOFError when there will be no more."""
    head = _object(read_frame(receive))
    secrets = tuple(bytearray(read_frame(receive)) for _ in range(head["secrets"]))
    return Call(head["call"], head["arguments"], secrets)


def answer_frame(value: object) -> bytearray:
    """What a call gave: anything that JSON can say."""
    return frame(json.dumps({"value": value}).encode())


def error_frame(error: EnigmTufError) -> bytearray:
    """Why a call gave nothing."""
    kind = type(error).__name__ if type(error).__name__ in _ERRORS else TokenError.__name__
    subject = error.token if isinstance(error, WrongPinError) else str(error)
    tries = error.tries_left if isinstance(error, WrongPinError) else None
    return frame(json.dumps({"error": kind, "text": subject, "hint": error.hint, "tries": tries}).encode())


def read_answer(receive: Receive) -> Any:
    """The value; raises the error that the worker sent, or NonsenseError."""
    answer = _object(read_frame(receive))
    if "value" in answer:
        return answer["value"]
    kind, text, hint, tries = (answer.get(name) for name in ("error", "text", "hint", "tries"))
    if kind not in _ERRORS or not isinstance(text, str) or not isinstance(hint, str):
        raise NonsenseError("an error that is none")
    if kind == WrongPinError.__name__:
        raise WrongPinError(text, tries if isinstance(tries, int) else None)
    raise _ERRORS[kind](text, hint=hint)


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise NonsenseError("no JSON") from error
    if not isinstance(value, dict):
        raise NonsenseError("no object")
    return value


def write_key(key: TokenKey) -> dict[str, Any]:
    return {"label": key.label, "algorithm": key.algorithm, "spki": key.spki.hex(), "attributes": key.attributes}


def write_object(item: TokenObject) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "label": item.label,
        "id": item.id,
        "spki_sha256": item.spki_sha256,
        "attributes": item.attributes,
    }


def write_signed(attributes: dict[str, bool | str], signature: bytes | None) -> dict[str, Any]:
    return {"attributes": attributes, "signature": None if signature is None else signature.hex()}


def write_identity(identity: TokenIdentity) -> dict[str, str]:
    return {name: getattr(identity, name) for name in _IDENTITY}


_IDENTITY = ("home", "manufacturer", "model", "serial", "firmware", "label")


def read_identity(value: Any) -> TokenIdentity:
    """NonsenseError unless it has just the fields of a TokenIdentity, all texts."""
    _require(isinstance(value, dict) and value.keys() == set(_IDENTITY), "identity")
    _require(all(isinstance(text, str) for text in value.values()), "identity")
    return TokenIdentity(**value)


def read_opened(value: Any) -> tuple[TokenIdentity, str]:
    """The token's identity, and who says to have made the module; NonsenseError."""
    _require(isinstance(value, dict) and value.keys() == {"identity", "library"}, "opened token")
    _require(isinstance(value["library"], str), "library")
    return read_identity(value["identity"]), value["library"]


def read_key(value: Any) -> TokenKey:
    """NonsenseError unless it has just the fields of a TokenKey. Whether the algorithm is true is for others to see."""
    _require(isinstance(value, dict) and value.keys() == {"label", "algorithm", "spki", "attributes"}, "key")
    _require(all(isinstance(value[name], str) for name in ("label", "algorithm", "spki")), "key")
    return TokenKey(value["label"], value["algorithm"], read_bytes(value["spki"]), _attributes(value["attributes"]))


def read_signed(value: Any) -> tuple[dict[str, bool | str], bytes | None]:
    """The key's attributes, and the signature, None where it was not made; NonsenseError."""
    _require(isinstance(value, dict) and value.keys() == {"attributes", "signature"}, "signature")
    signature = None if value["signature"] is None else read_bytes(value["signature"])
    return _attributes(value["attributes"]), signature


def read_object(value: Any) -> TokenObject:
    """NonsenseError unless it has just the fields of a TokenObject."""
    names = {"kind", "label", "id", "spki_sha256", "attributes"}
    _require(isinstance(value, dict) and value.keys() == names, "object")
    _require(all(isinstance(value[name], str) for name in ("kind", "label", "id")), "object")
    _require(value["spki_sha256"] is None or isinstance(value["spki_sha256"], str), "object")
    return TokenObject(**{**value, "attributes": _attributes(value["attributes"])})


def read_bytes(value: Any) -> bytes:
    """From hex; NonsenseError."""
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError) as error:
        raise NonsenseError("no hex") from error


def read_list(value: Any) -> list[Any]:
    """NonsenseError unless it is a list."""
    _require(isinstance(value, list), "list")
    items: list[Any] = value
    return items


def _attributes(value: Any) -> dict[str, bool | str]:
    _require(isinstance(value, dict) and all(isinstance(item, bool | str) for item in value.values()), "attributes")
    attributes: dict[str, bool | str] = value
    return attributes


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise NonsenseError(f"{what} of another shape")
