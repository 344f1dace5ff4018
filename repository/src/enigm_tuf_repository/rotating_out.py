"""``root rotate-out``: the settings in force, with one key in the place of another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import read_key_record
from enigm_tuf_repository.configuration import RepositoryConfig, read_configuration
from enigm_tuf_repository.settings import Settings

_GROUPS = ("root_keys", "payload_keys", "manifest_keys", "timestamp_keys")


def with_spare(settings: Settings, lost: str, spare: Path) -> Settings:
    """``lost`` is the file name of a key record in force; ``spare`` the record that comes for it.

    MisuseError where there is no such key, where the spare is in force already, or where the configuration is written
    in a way that this cannot change.
    """
    data = read_input(spare, LIMITS.document_bytes)
    read_key_record(data, str(spare))
    named = {name for names in settings.config.key_files().values() for name in names if Path(name).name == lost}
    if not named:
        raise MisuseError(f"no key in force is called {lost}", hint=f"in force: {', '.join(sorted(settings.keys))}")
    if spare.name in settings.keys:
        raise MisuseError(f"{spare.name} is in force already")
    wanted = _exchanged(settings.config, named, spare.name)
    text = _rewritten(settings.data, named, spare.name)
    if read_configuration(text, "repository.toml") != wanted:
        raise MisuseError(
            f"repository.toml names {lost} in a way that cannot be replaced here",
            hint="edit a copy of it, and run `enigm-repo root prepare --config COPY`",
        )
    keys = {name: record for name, record in settings.keys.items() if name != lost}
    return Settings(text, wanted, keys | {spare.name: data}, settings.policies)


def _exchanged(config: RepositoryConfig, named: set[str], spare: str) -> RepositoryConfig:
    groups = {group: getattr(config, group) or () for group in _GROUPS}
    changes: dict[str, Any] = {
        group: tuple(spare if name in named else name for name in names) for group, names in groups.items() if names
    }
    return replace(config, **changes)


def _rewritten(data: bytes, named: set[str], spare: str) -> bytes:
    for name in named:
        for quote in ("'", '"'):
            data = data.replace(f"{quote}{name}{quote}".encode(), f"{quote}{spare}{quote}".encode())
    return data
