"""STORE-CONDITIONAL: a store that ignores conditions lets two publishers both win. Proved before each publication.

One small object stays under PROBE, so that two requests prove it each time and no right to delete is needed. It is
refused to be created again, and to be replaced by a tag that is not its own. Where it is not there yet, a
right tag must replace it too, and then be stale.
"""

import os
import time
from collections.abc import Mapping
from typing import Protocol

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from enigm_tuf.errors import RefusedError, StateError
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.stores.backends import one_line

PROBE = ".probe/conditional"
STALE = {"e_tag": '"00000000000000000000000000000000"', "version": "1"}
ATTEMPTS = 4


class Writer(Protocol):
    """What is probed."""

    url: str

    def put(self, path: str, data: bytes, mode: str | Mapping[str, str]) -> dict[str, str]: ...


def require_conditions(store: Writer) -> None:
    """RefusedError STORE-CONDITIONAL; StateError where the store does not answer."""
    first = _put(store, "create")
    if first is not None:
        if _put(store, "create") is not None:
            _refuse(store, "`create only if there is nothing` to be refused for what is there", "it was overwritten")
        if _put(store, first) is None:
            _refuse(
                store, "`replace if the tag is this` to be done for the right tag", "it was refused", _other_quoting
            )
    if _put(store, first or STALE) is not None:
        _refuse(store, "`replace if the tag is this` to be refused for a stale tag", "it was overwritten")


_other_quoting = "set `tag_quoting` in [store] to the other one of quoted and bare"


def _put(store: Writer, mode: str | Mapping[str, str]) -> dict[str, str] | None:
    """The new tag; None where the store said no. Anything else, as under contention, is asked again."""
    for attempt in range(ATTEMPTS):
        try:
            return store.put(PROBE, os.urandom(16), mode)
        except (AlreadyExistsError, PreconditionError):
            return None
        except (BaseError, OSError, ValueError) as error:
            if attempt + 1 == ATTEMPTS:
                raise StateError(f"{store.url}: {one_line(error)}", hint="nothing was published") from error
        time.sleep(0.1 * 2**attempt)
    raise AssertionError  # the last attempt has returned or raised


def _refuse(store: Writer, expected: str, got: str, hint: str = "publish to a store that honours conditions") -> None:
    raise RefusedError(RepositoryRule.STORE_CONDITIONAL, store.url, expected=expected, got=got, hint=hint)
