"""A wrapping key: one AES key on two tokens, which wraps on the one and unwraps on the other (GOVERNANCE, "Backup").

The record holds no secret; it stands in the key inventory, so that operators have voted for it.
"""

from datetime import datetime
from typing import Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import (
    ATTRIBUTES,
    ENVIRONMENT,
    HEX,
    TOKEN_RECORD,
    AttributeRecord,
    Environment,
    TokenRecord,
)
from enigm_tuf.model.shapes import WORD, Choice, Record, Sequence, Time
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.value import Value

Use: TypeAlias = Literal["wrap", "unwrap"]
WrapMechanism: TypeAlias = Literal["AES_KEY_WRAP_KWP", "AES_KEY_WRAP_PAD"]
WRAP_MECHANISMS: tuple[WrapMechanism, ...] = ("AES_KEY_WRAP_KWP", "AES_KEY_WRAP_PAD")
"""AES key wrap with padding (RFC 5649) under its two names in PKCS#11, the better defined first."""
USE = Choice(("wrap", "unwrap"))


class WrappingPlace(Value):
    """One of the two tokens, what the key may do there, and its attributes as read back."""

    token: TokenRecord
    use: Use
    attributes: dict[str, AttributeRecord]


class WrappingKey(Value):
    """``id`` is CKA_ID in hex, ``label`` CKA_LABEL, the same on both tokens; ``places``: where it wraps comes first.

    ``mechanism`` is the only one that it may be used with.
    """

    id: str
    label: str
    environment: Environment
    mechanism: WrapMechanism
    places: tuple[WrappingPlace, ...]
    made: datetime

    def place(self, use: Use) -> WrappingPlace:
        """The token where it may do that."""
        return next(place for place in self.places if place.use == use)


WRAPPING_KEY = Record(
    WrappingKey,
    1,
    id=HEX,
    label=WORD,
    environment=ENVIRONMENT,
    mechanism=Choice(WRAP_MECHANISMS),
    places=Sequence(
        Record(WrappingPlace, token=TOKEN_RECORD, use=USE, attributes=ATTRIBUTES), minimum=2, maximum=2, unique=False
    ),
    made=Time(),
)


def read_wrapping_key(data: bytes, source: str) -> WrappingKey:
    """Parse; MalformedError unless it wraps on one token and unwraps on another."""
    key = WRAPPING_KEY.read(parse(data, source=source), source)
    require_two_places(key, source)
    return key


def require_two_places(key: WrappingKey, source: str) -> None:
    """MalformedError."""
    if tuple(place.use for place in key.places) != ("wrap", "unwrap"):
        raise MalformedError(source, "places.use", "must be wrap, then unwrap")
    if len({place.token.serial for place in key.places}) != 2:
        raise MalformedError(source, "places.token.serial", "must be two tokens")


def write_wrapping_key(key: WrappingKey) -> bytes:
    """The bytes of the file."""
    return encode(WRAPPING_KEY.write(key))
