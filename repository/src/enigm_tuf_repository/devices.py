"""A device that looks at a tree: the very workflow that devices run, on a store that nobody else sees."""

from contextlib import AbstractContextManager, nullcontext

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import Environment
from enigm_tuf.ports import Clock, DeviceState, Fetcher
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.lineage import READINGS


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


def refresh_as_device(fetcher: Fetcher, root: bytes, environment: Environment, clock: Clock) -> TufWorkflow:
    """The workflow of a device that ships with ``root``, refreshed, under the authorities' rules."""
    store = FreshStore(DeviceState(metadata={"root": root}))
    workflow = TufWorkflow(store, fetcher, clock, AuthorityAdmission(environment), readings=READINGS)
    workflow.refresh()
    return workflow


def load_product_roles(workflow: TufWorkflow, product: str) -> None:
    """Look for a target that nobody has: the search has to load and verify the product's roles to say so."""
    for path in (f"manifests/{product}/none.json", f"payloads/{product}/0/none"):
        try:
            workflow.target(path)
        except RefusedError as refusal:
            if refusal.rule != TufRule.TARGET_MISSING:
                raise
