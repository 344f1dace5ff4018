"""Files by name, read only when somebody asks for them: a role of 33 MB that nobody needs costs nothing."""

from __future__ import annotations

from enigm_tuf.model.lean import Callable, Iterator, Mapping
from enigm_tuf.model.strict_json import sha256


class Documents(Mapping[str, bytes]):
    """An immutable mapping of names to bytes that knows the SHA-256 of each."""

    __slots__ = ("_held", "_read", "digests")

    def __init__(
        self, digests: Mapping[str, str], read: Callable[[str], bytes], held: Mapping[str, bytes] | None = None
    ) -> None:
        """``read`` gives the bytes of a SHA-256 (hex); ``held`` are bytes in memory, by role."""
        self.digests = digests
        self._read = read
        self._held = held or {}

    @classmethod
    def of(cls, documents: Mapping[str, bytes]) -> Documents:
        """Itself, or a plain mapping with its digests."""
        if isinstance(documents, cls):
            return documents
        return cls({role: sha256(data) for role, data in documents.items()}, _nothing, documents)

    def with_document(self, role: str, data: bytes, digest: str) -> Documents:
        """The same with one role's bytes, whose SHA-256 is ``digest`` (hex), added or replaced."""
        return Documents({**self.digests, role: digest}, self._read, {**self._held, role: data})

    def without(self, *names: str) -> Documents:
        """The same but for ``names``."""
        left = {name: digest for name, digest in self.digests.items() if name not in names}
        return Documents(left, self._read, self._held)

    def __getitem__(self, role: str) -> bytes:
        return self._held[role] if role in self._held else self._read(self.digests[role])

    def __contains__(self, role: object) -> bool:
        return role in self.digests

    def __iter__(self) -> Iterator[str]:
        return iter(self.digests)

    def __len__(self) -> int:
        return len(self.digests)


def _nothing(digest: str) -> bytes:
    raise KeyError(digest)
