"""Mutators that know the structure: a document stays a document, so that the code behind the parser is reached.

Each takes the bytes, a source of randomness and gives other bytes, or raises ValueError where the bytes have no
structure to keep (the fuzzer then mutates plain bytes).
"""

import io
import json
import random
import tarfile
import tomllib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from enigm_tuf.model.strict_json import sha256

Mutator = Callable[[bytes, random.Random], bytes]

TEXTS = (
    *("", "\ud800", "\x00", "\x7f", "\n", "é", "\U0001f600", "..", "/", "a" * 300, "A" * 5000, "root", "targets", "-1"),
    *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-11-23T20:00:00Z"),
    *("1.0.31", "0" * 64, "f" * 64, "0" * 63 + "G", "ecdsa", "ed25519", "rsa", "ml-dsa-65/1", "====", "AAAA", "*/?[a"),
    *("\u0663", "{0}", "%s", "__class__", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
)
NUMBERS = (0, 1, -1, 2, 3, 31, 32, 33, 255, 2**31, 2**53 - 1, 2**53, -(2**53), 2**63, 2**64, 10**20, 1.5)
LEAVES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": 0}, [None], *TEXTS, *NUMBERS)

Place = tuple[Any, Any]  # a container and the key or index in it


def json_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change one to three nodes of the tree."""
    return encode(mutated(json.loads(data), dice), dice)


def encode(value: Any, dice: random.Random) -> bytes:
    """JSON in the forms that occur: mostly the compact sorted one, sometimes another."""
    if dice.random() < 0.8:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    else:
        text = json.dumps(value, ensure_ascii=dice.random() < 0.8, indent=dice.choice((None, 1)))
    return text.encode("utf-8", "surrogatepass")


def mutated(tree: Any, dice: random.Random) -> Any:
    """The tree with one to three nodes changed; the tree itself is used up."""
    holder = [tree]
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = list(_places(holder))
        container, key = dice.choice(places)
        _change(container, key, places, dice)
        if not holder:
            return deepcopy(dice.choice(LEAVES))
    return holder[0]


def _places(value: Any) -> list[Place]:
    found: list[Place] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            found.append((item, key))
            waiting.append(item[key])
    return found


def _change(container: Any, key: Any, places: list[Place], dice: random.Random) -> None:
    value = container[key]
    match dice.randrange(8):
        case 0:
            del container[key]
        case 1:
            container[key] = deepcopy(dice.choice(LEAVES))
        case 2:
            other, place = dice.choice(places)
            container[key] = deepcopy(other[place])
        case 3:
            _add(container, dice.choice((*TEXTS, str(key))), deepcopy(value))
        case 4 if isinstance(container, dict):
            container[_text(str(key), dice)] = container.pop(key)
        case 5:
            container[key] = [value] if dice.random() < 0.5 else {"": value}
        case _:
            container[key] = deepcopy(_nudged(value, dice))


def _add(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container.append(value)


def _nudged(value: Any, dice: random.Random) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + dice.choice((1, -1, 10, 1000))
    if isinstance(value, str):
        return _text(value, dice)
    if isinstance(value, list):
        return dice.sample(value, len(value)) if dice.random() < 0.5 else value + value
    return dict(reversed(value.items())) if isinstance(value, dict) else str(value)


def _text(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text) + 1)
    match dice.randrange(6):
        case 0:
            return text[:place] + dice.choice(TEXTS) + text[place:]
        case 1:
            return text[:place] + text[place + 1 :]
        case 2:
            return text[:place] + chr(dice.choice((0, 32, 47, 58, 65, 97, 127, 233))) + text[place + 1 :]
        case 3:
            return text.swapcase()
        case 4:
            return text + text
        case _:
            return text[:place]


TOML_WORDS = (
    *("nan", "-inf", "1.5", "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00", "0x" + "f" * 5000, "9" * 5000),
    *("[" * 2000, "[" * 200 + "]" * 200, "{a = " * 2000, "'''x'''", '"\\uD800"', "'\x7f'"),
)


def toml_mutator(data: bytes, dice: random.Random) -> bytes:
    """The same for TOML, with its own kinds of values put in for a marker."""
    tree = mutated(tomllib.loads(data.decode()), dice)
    if not isinstance(tree, dict):
        raise ValueError("a TOML document is a table")  # noqa: TRY004 - the one error of mutators
    if tree and dice.random() < 0.2:
        tree[dice.choice(list(tree))] = "@"
    lines = (f"{json.dumps(key)} = {_toml(value)}" for key, value in tree.items())
    return "\n".join(lines).replace('"@"', dice.choice(TOML_WORDS)).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def bundle_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change one member (a JSON document or its name), list it right in the index, and pack again."""
    members = _members(data)
    name = dice.choice(sorted(members))
    if dice.random() < 0.1:
        members[_text(name, dice)] = members.pop(name)
    else:
        members[name] = json_mutator(members[name], dice)
    if name != "index.json" and dice.random() < 0.9:
        _list_members(members, dice)
    return _packed(members, tarfile.USTAR_FORMAT if dice.random() < 0.9 else dice.choice((0, 1, 2)))


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            files = {header.name: tar.extractfile(header) for header in tar if header.isreg()}
            members = {name: file.read() for name, file in files.items() if file}
    except (tarfile.TarError, EOFError, OverflowError) as error:
        raise ValueError("not a tar") from error
    if not members:
        raise ValueError("an empty tar")
    return members


def _list_members(members: dict[str, bytes], dice: random.Random) -> None:
    """Make the index of a request (or the list of envelopes of a response) that of ``members``."""
    index = json.loads(members.get("index.json", b"{}"))
    if not isinstance(index, dict):
        return
    rest = {name: data for name, data in members.items() if name != "index.json"}
    if "entries" in index:
        index["entries"] = [
            {"path": name, "sha256": sha256(data), "size": len(data), "media_type": "application/json"}
            for name, data in rest.items()
            if not name.startswith("approvals/")
        ]
    elif "approvals" in index:
        index["approvals"] = [sha256(data) for data in rest.values()]
    members["index.json"] = encode(index, dice)


def _packed(members: dict[str, bytes], form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name in sorted(members):
            header = tarfile.TarInfo(name)
            header.size = len(members[name])
            tar.addfile(header, io.BytesIO(members[name]))
    return buffer.getvalue()


def log_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change one entry of an audit log, one to a line, mostly with the numbers of all entries right again."""
    lines = data.split(b"\n")[:-1]
    place = dice.randrange(len(lines))
    lines[place] = json_mutator(lines[place], dice)
    if dice.random() < 0.9:
        for number, line in enumerate(lines, start=1):
            entry = json.loads(line)
            if isinstance(entry, dict):
                entry |= {"sequence": number}
            lines[number - 1] = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
                "utf-8", "surrogatepass"
            )
    return b"".join(line + b"\n" for line in lines)


def text_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change a piece between delimiters of a URI."""
    return _text(data.decode("utf-8", "surrogateescape"), dice).encode("utf-8", "surrogatepass")
