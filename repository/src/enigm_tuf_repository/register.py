"""``register.json``: what must be known without reading every record there ever was.

Sequence numbers are taken here before a request is written: one that is never used is harmless, one that is
used twice is refused by the authority.
"""

from dataclasses import dataclass, field, replace

from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.shapes import BUILD_ID, NAME, Integer, Record, Sequence, Table, Text
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Register:
    """``issued`` is the last sequence number of each authority, ``signed`` the last that came back signed.

    ``products`` gives the channels of each product; ``open`` the records that are not published, oldest first.
    """

    issued: dict[str, int] = field(default_factory=dict)
    signed: dict[str, int] = field(default_factory=dict)
    products: dict[str, tuple[str, ...]] = field(default_factory=dict)
    open: tuple[str, ...] = ()

    def issue(self, authority: Authority) -> tuple["Register", int]:
        """A sequence number that nobody has, and the register that says so."""
        number = self.issued.get(authority, 0) + 1
        return replace(self, issued=self.issued | {authority: number}), number

    def with_signed(self, authority: Authority, sequence: int) -> "Register":
        return replace(self, signed=self.signed | {authority: max(sequence, self.signed.get(authority, 0))})

    def opened(self, record_id: str) -> "Register":
        return replace(self, open=(*(item for item in self.open if item != record_id), record_id))

    def closed(self, record_id: str) -> "Register":
        return replace(self, open=tuple(item for item in self.open if item != record_id))

    def without_product(self, product: str) -> "Register":
        return replace(self, products={name: item for name, item in self.products.items() if name != product})

    def with_product(self, product: str, channels: tuple[str, ...]) -> "Register":
        return replace(self, products=self.products | {product: channels})


_AUTHORITY = Text("|".join(AUTHORITY.words), "manifest or release")
_COUNTERS = Table(_AUTHORITY, Integer())
REGISTER = Record(
    Register,
    1,
    issued=_COUNTERS,
    signed=_COUNTERS,
    products=Table(NAME, Sequence(NAME, minimum=1, maximum=100, unique=True)),
    open=Sequence(BUILD_ID, maximum=1_000, unique=True),
)


def load_register(workspace: Workspace) -> Register:
    """The register; an empty one before ``init``."""
    path = workspace.register_file
    if not path.exists():
        return Register()
    data, known = path.read_bytes(), _LAST[0]
    if known is not None and known[0] == data:
        return known[1]
    register = REGISTER.read(parse(data, source=str(path)), str(path))
    _LAST[0] = (data, register)
    return register


def save_register(workspace: Workspace, register: Register) -> None:
    """Replace register.json in one step."""
    data = encode(REGISTER.write(register))
    write_durably(workspace.register_file, data)
    _LAST[0] = (data, register)


_LAST: list[tuple[bytes, Register] | None] = [None]
"""The bytes that were read or written last, and what they mean: a step asks several times, and checking a thousand
names takes as long as the rest of it. Whatever other bytes are there are read."""
