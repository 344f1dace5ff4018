"""The decisions of both authorities in the published tree: ``decisions/<record>/<authority>-<sha256>.enigmresp``.

Each is the response as the authority wrote it. No device fetches one, and nothing rests on its being there: what it
says is proved by the signatures and approvals in it.
"""

import re

from enigm_tuf.model.strict_json import sha256

FOLDER = "decisions"
_PATH = re.compile(r"decisions/([A-Za-z0-9][A-Za-z0-9._-]*)/(manifest|release)-([0-9a-f]{64})\.enigmresp")


def decision_name(authority: str, data: bytes) -> str:
    """What the response ``data`` is called, in a record and in the tree."""
    return f"{authority}-{sha256(data)}.enigmresp"


def is_decision(path: str, data: bytes) -> bool:
    """Whether ``data`` may lie there: the name has its digest."""
    match = _PATH.fullmatch(path)
    return match is not None and match[3] == sha256(data)
