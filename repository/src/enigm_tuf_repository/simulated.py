"""A device's workflow inside the repository: what a device would see of a tree, without a device."""

from contextlib import AbstractContextManager, nullcontext

from enigm_tuf.errors import RefusedError
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.workflow import TufWorkflow


class FreshStore:
    """A device that remembers ``state`` and nothing more. Implements ``enigm_tuf.ports.Store`` in memory."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state

    def load(self) -> DeviceState:
        return self._state

    def commit(self, state: DeviceState) -> None:
        self._state = state

    def exclusive(self) -> AbstractContextManager[None]:
        return nullcontext()  # nobody else can see it


def load_product_roles(workflow: TufWorkflow, product: str) -> None:
    """Look for a target that nobody has: the search has to load and verify the product's roles to say so."""
    for path in (f"manifests/{product}/none.json", f"payloads/{product}/0/none"):
        try:
            workflow.target(path)
        except RefusedError as refusal:
            if refusal.rule != TufRule.TARGET_MISSING:
                raise
