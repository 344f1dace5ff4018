"""A published tree whose newest root has other signatures: what a thief of some keys could serve."""

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from enigm_tuf.model.strict_json import encode


def tree_with_root(
    published: Path, out: Path, version: int, without: Collection[str] = (), change: Callable[[Any], None] | None = None
) -> Path:
    """A copy of the tree; root ``version`` loses the signatures of these keyids, and ``change`` is done to the rest."""
    shutil.copytree(published, out)
    file = out / "metadata" / f"{version}.root.json"
    root = json.loads(file.read_bytes())
    root["signatures"] = [item for item in root["signatures"] if item["keyid"] not in without]
    if change:
        change(root)
    file.write_bytes(encode(root))
    return out
