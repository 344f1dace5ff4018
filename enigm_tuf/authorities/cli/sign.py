"""enigm-sign sign: sign a request with one custodian's token, if the policy says yes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.answering import Answer
from enigm_tuf.authorities.cli.request_options import (
    add_approvals,
    add_consents,
    add_home,
    add_request,
    load_brought,
    load_request,
    show_and_confirm,
)
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.signing import Custodian, sign
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.request import RULE_OUTCOME, SigningRequest

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_request(parser)
    add_home(parser)
    add_token(parser)
    add_label(parser)
    add_approvals(parser)
    add_consents(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the response, such as carol.enigmresp")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, request = Path(arguments.out), load_request(arguments)
    require_new(out)
    custodian = Custodian(
        edges.open_token(arguments.token),
        label_of(arguments),
        edges.person.ask_secret,
        lambda question: show_and_confirm(question, edges),
    )
    answer = sign(open_home(Path(arguments.home)), request, load_brought(arguments), custodian, edges.clock)
    write_new(out, answer.file)
    return Outcome(_facts(answer), [*_lines(answer, request), f"response written to {out}"], answer.refusal)


def _facts(answer: Answer) -> dict[str, object]:
    response = answer.response
    return {
        "request_id": response.request_id,
        "decision": response.decision,
        "rules": [RULE_OUTCOME.write(item) for item in response.rules],
        "signatures": [
            {"role": item.role, "version": item.version, "keyid": item.keyid} for item in response.signatures
        ],
        "audit": {"entries": response.audit.entries, "sha256": response.audit.sha256},
    }


def _lines(answer: Answer, request: SigningRequest) -> list[str]:
    response = answer.response
    failed = [f"{item.rule} {item.verdict}: {item.evidence}" for item in response.rules if not item.passed]
    signed = [f"signed {item.role} version {item.version} with key {item.keyid}" for item in response.signatures]
    if response.decision == "PASSED" and len(signed) < len(request.below("payloads")):
        signed.append("this key signed the rest before, under another decision: enigm-sign response again")
    head = f"audit log: {response.audit.entries}:{response.audit.sha256}"
    return [f"request {response.request_id}: {response.decision}", *failed, *signed, head]


COMMAND: "Command[Edges]" = Command(
    name="sign",
    summary="Check a request against the policy and sign it with your token, after you have typed its words.",
    examples=(
        "enigm-sign sign release.enigmreq --home release --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/"
        "libsofthsm2.so' --label payload --approval alice.dsse.json --approval bob.dsse.json --out carol.enigmresp"
    ),
    configure=configure,
    run=run,
    details="One key, one custodian: where a role needs several, each runs this with their own token.",
)
