"""``enigm-repo`` in a process that is gone in the middle of its work."""

import os
import sys

from enigm_testkit.vendor import Vendor

_WRITING = {"open", "os.rename", "os.remove", "os.mkdir"}


def killed_at(operation: int, vendor: Vendor, *arguments: str) -> bool:
    """Run the command in a child that dies at its n-th file operation; False if it was done before that."""
    child = os.fork()
    if child == 0:
        _die_at(operation, str(vendor.workspace.path))
        os._exit(vendor.run(*arguments))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 137}, f"{' '.join(arguments)} ended with {status}"
    return status == 137


def _die_at(operation: int, workspace: str) -> None:
    left = operation

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _WRITING and any(str(item).startswith(workspace) for item in arguments):
            left -= 1
            if left < 0:
                os._exit(137)

    sys.addaudithook(hook)
