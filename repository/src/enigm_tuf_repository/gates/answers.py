"""The authorities' answers in a record, read once more, for the gates that judge them."""

from collections.abc import Mapping

from enigm_tuf.model.request import SigningResponse, read_response
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.records import RequestEntry, Step


def answers(context: GateContext) -> Mapping[str, SigningResponse]:
    """By path in the record: those whose digests stand in the evidence of the step ``policy``; MalformedError."""
    folder, step = context.workspace.record(context.record.id), context.record.evidence(Step.POLICY)
    paths = [path for path in (step.digests if step else {}) if path.startswith("responses/")]
    return {path: read_response((folder / path).read_bytes(), path)[0] for path in sorted(paths)}


def of_request(found: Mapping[str, SigningResponse], entry: RequestEntry) -> dict[str, SigningResponse]:
    """The answers to one request."""
    return {
        path: answer
        for path, answer in found.items()
        if (answer.authority, answer.request_sha256) == (entry.authority, entry.digest)
    }
