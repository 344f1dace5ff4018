"""A strict reader of libconfig's language, as far as ``sw-description`` uses it; JSON is the other form of that file.

Groups ``{}``, lists ``()``, arrays ``[]``, texts, integers, booleans. A name twice in one group is refused, and so are
``@include`` and fractions.
"""

import re
from typing import Any

from enigm_tuf.errors import MalformedError

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/
    |(?P<text>"(?:[^"\\\n]|\\.)*")
    |(?P<word>[A-Za-z*][A-Za-z0-9_*-]*)
    |(?P<number>[-+]?(?:0x[0-9A-Fa-f]{1,16}|(?:0|[1-9][0-9]{0,18}))L?(?![0-9A-Za-z.]))
    |(?P<mark>[{}()\[\]=:;,])""",
    re.VERBOSE | re.DOTALL,
)
_DEEPEST = 16
_MOST = 100_000  # tokens
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", '"': '"', "\\": "\\"}


def read_libconfig(text: str, source: str) -> dict[str, Any]:
    """The settings of a file; MalformedError."""
    return _Reader(text, source).group("", 0)


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._tokens = self._split(text)
        self._place = 0

    def group(self, end: str, depth: int) -> dict[str, Any]:
        """Settings up to ``end``, which is the end of the file for an empty one."""
        found: dict[str, Any] = {}
        while (token := self._next())[1] != end:
            kind, name = token
            if kind != "word" or self._next()[1] not in {"=", ":"}:
                raise self._error(f"a name and = must stand where {name[:20]!r} stands")
            if name in found:
                raise self._error(f"{name} stands twice")
            found[name] = self._value(*self._next(), depth)
            if self._peek() in {";", ","}:
                self._place += 1
        return found

    def _value(self, kind: str, word: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise self._error(f"nested at most {_DEEPEST} deep")
        if word == "{":
            return self.group("}", depth + 1)
        if word in {"(", "["}:
            return self._list({"(": ")", "[": "]"}[word], depth + 1)
        if kind == "text":
            return self._texts(word)
        if kind == "number":
            return int(word.rstrip("L"), 0)
        if word.lower() in {"true", "false"}:
            return word.lower() == "true"
        raise self._error(f"a value must stand where {word[:20]!r} stands")

    def _list(self, end: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while (token := self._next())[1] != end:
            found.append(self._value(*token, depth))
            if self._peek() == ",":
                self._place += 1
            elif self._peek() != end:
                raise self._error(f"a comma or {end} must follow")
        return found

    def _texts(self, token: str) -> str:
        """Texts one behind the other are one text."""
        whole = self._unescaped(token)
        while self._tokens[self._place][0] == "text":
            whole += self._unescaped(self._next()[1])
        return whole

    def _unescaped(self, token: str) -> str:
        def one(match: re.Match[str]) -> str:
            if match[1] not in _ESCAPES:
                raise self._error(f"no such escape: \\{match[1]}")
            return _ESCAPES[match[1]]

        return re.sub(r"\\(.)", one, token[1:-1])

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or len(tokens) > _MOST:
                raise MalformedError(self._source, f"character {place}", "not libconfig")
            if match.lastgroup:
                tokens.append((match.lastgroup, match[0]))
            place = match.end()
        return [*tokens, ("end", "")]

    def _next(self) -> tuple[str, str]:
        """The next token; at the end the empty one, again and again."""
        token = self._tokens[self._place]
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def _peek(self) -> str:
        return self._tokens[self._place][1]

    def _error(self, rule: str) -> MalformedError:
        return MalformedError(self._source, "", rule)
