"""The seams to the outside world: small Protocols, documented as contracts.

Every implementation, the simulators of the tests among them, passes the same contract tests.
"""

from __future__ import annotations

from enigm_tuf.model.lean import Callable, Mapping, datetime
from enigm_tuf.model.tuf_fields import NOTHING
from enigm_tuf.model.value import Protocol, Value

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Literal, TypeAlias

    from enigm_tuf.trust.artifact import VerifiedArtifact
    from enigm_tuf.trust.remembered import Remembered
    from enigm_tuf.trust.signable import Signable

    Algorithm: TypeAlias = Literal[
        "ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-pss-3072", "rsa-pss-4096", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"
    ]
    Home: TypeAlias = Literal["piv", "hsm", "development"]
    PinCallback: TypeAlias = Callable[[str], str]
else:
    Algorithm = Home = str
    PinCallback = Callable


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""


class DeviceClock(Protocol):
    """Where a device's time comes from, if anywhere."""

    def now(self) -> datetime | None:
        """The time now, aware, in UTC; None where the device has no clock that can be trusted."""


class Source(Protocol):
    """Bytes of one file as they arrive."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of ``buffer`` (at least one byte); the number of bytes, 0 at the end; TransportError."""


class Channel(Value):
    """What a fetcher says of its channel, in words; empty where there is nothing to say. No control rests on it."""

    transport: str = ""
    requests: str = ""


class DeviceKey(Protocol):
    """A device's own key, wherever it lives. ``algorithm`` is ed25519, ecdsa-p256-sha256 or ecdsa-p384-sha384."""

    keyid: str
    algorithm: str

    def sign(self, base: bytes) -> bytes:
        """A signature over ``base`` in the form of RFC 9421 section 3.3: for ECDSA r and s, each of full size."""


class RequestSigner(Protocol):
    """Tells a service which device asks. Nothing on the device rests on it."""

    def describe(self) -> str:
        """One line for the gate report."""

    def fields(self, authority: str, path: str, fields: Mapping[str, str]) -> Mapping[str, str]:
        """What to send with a GET besides ``fields`` (lower-case names); ``path`` as in the request line."""


class Fetcher(Protocol):
    """Reads files of a repository. Paths are relative, with ``/``, never absolute."""

    def channel(self) -> Channel:
        """How this fetcher reaches the repository."""

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError."""


class DeviceState(Value):
    """All that a device remembers. Committed whole or not at all.

    ``metadata`` holds the newest trusted bytes of each role by role name, exactly as received.
    ``latest_time`` is the newest time ever seen; a clock behind it is refused.
    ``rollback_floors`` gives for each product the lowest rollback index that may be installed.
    ``remembered`` says how each role's bytes were verified; ``targets`` holds small target files by path.
    ``installed`` gives for each product the version and build id that the installer confirmed.
    """

    metadata: Mapping[str, bytes] = NOTHING
    latest_time: datetime | None = None
    rollback_floors: Mapping[str, int] = NOTHING
    installed: Mapping[str, tuple[str, str]] = NOTHING
    remembered: Mapping[str, Remembered] = NOTHING
    targets: Mapping[str, bytes] = NOTHING


class Store(Protocol):
    """Keeps one DeviceState through power cuts: after a cut, the old one or the new one, never a mix."""

    def load(self) -> DeviceState:
        """The last committed state; StateError if there is none or if it is damaged."""

    def commit(self, state: DeviceState) -> None:
        """Make ``state`` the one that load() returns, durably; StateError leaves the old one whole."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep every other process out between a load() and the commit() that rests on it; StateError."""


class Installer(Protocol):
    """Puts a verified artifact where the device boots from. Takes nothing else."""

    def place(self, sha256: str) -> Path:
        """Where the payload with this SHA-256 (hex) may be written so that install() need not copy it; StateError.

        The same place for the same payload until it is installed, so that a download can go on.
        """

    def install(self, artifact: VerifiedArtifact) -> None:
        """Install, and return only when it is durable and will be used; StateError otherwise."""


class TokenIdentity(Value):
    """What a token says that it is, read from the token itself."""

    home: Home
    manufacturer: str
    model: str
    serial: str
    firmware: str
    label: str


class TokenKey(Value):
    """A key pair on a token, as read back from it.

    ``label`` is CKA_LABEL, or the PIV slot in hex (``9c``); ``spki`` is DER SubjectPublicKeyInfo;
    ``attributes`` are lower-case names (``never_extractable``, ``pin_policy``) to values as text or bool.
    """

    label: str
    algorithm: Algorithm
    spki: bytes
    attributes: dict[str, bool | str]


class TokenObject(Value):
    """Anything that lies on a token. ``kind``: private-key, public-key, certificate, secret-key, data or other.

    ``label`` and ``id`` (hex) are as the token gives them, or empty; ``spki_sha256`` where it has a public half that
    can be read; ``attributes`` as for TokenKey, for private and secret keys.
    """

    kind: str
    label: str
    id: str
    spki_sha256: str | None
    attributes: dict[str, bool | str]


class TokenSession(Protocol):
    """A token while somebody is logged in."""

    @property
    def identity(self) -> TokenIdentity: ...

    def keys(self) -> tuple[TokenKey, ...]:
        """All signing key pairs on the token, with the attributes read back."""

    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """Make a key pair that can never leave the token; read back; RefusedError TOKEN-ATTRIBUTES."""

    def sign(self, label: str, message: Signable) -> bytes:
        """A signature over ``message.data`` in TUF's scheme for the key (for ECDSA in DER), verified before it leaves.

        Only a Signable can be signed: there is one builder for each thing that a key may say.
        """

    def objects(self) -> tuple[TokenObject, ...]:
        """Everything on the token, also what is not ours: what an audit compares with the inventory."""

    def destroy(self, label: str) -> None:
        """Destroy a key pair for good; MisuseError where the token has none of that label, or cannot."""

    def attestation(self, label: str) -> tuple[bytes, ...]:
        """DER certificates, leaf first, by which the maker vouches for the key; empty if it cannot."""


class Token(Protocol):
    """A token that can be logged in to."""

    def identity(self) -> TokenIdentity:
        """Read without a PIN; NoTokenError."""

    def session(self, pin: PinCallback) -> AbstractContextManager[TokenSession]:
        """Log in; log out on leaving, whatever happens. WrongPinError, PinLockedError, NoTokenError."""
