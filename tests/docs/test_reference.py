"""What docs/ says follows from the code: schemas, rules, and the tests that prove them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from enigm_testkit.authorities import Cast, extension_of  # noqa: E402
from enigm_tuf.errors import MalformedError  # noqa: E402 - scripts/ is no package
from enigm_tuf.model.manifest import OTA_MANIFEST  # noqa: E402
from enigm_tuf.model.payload import PAYLOAD_RECORD  # noqa: E402
from enigm_tuf.model.root_extension import ROOT_EXTENSION  # noqa: E402
from enigm_tuf.model.shapes import Record  # noqa: E402
from scripts.write_reference import catalogue, documents, marked_tests, schema_text  # noqa: E402

MANIFEST = {
    "schema": 1,
    "environment": "staging",
    "product": "phone",
    "channel": "stable",
    "releases": [
        {
            "version": "1.2",
            "build_id": "EN1A.1",
            "security_patch_level": "2026-11-05",
            "rollback_index": 7,
            "hardware_ids": ["phone-a"],
            "payloads": [
                {
                    "path": "payloads/phone/1.2/ota.zip",
                    "length": 1000,
                    "hashes": {"sha256": "a" * 64, "sha512": "b" * 128},
                    "type": "full-ota",
                }
            ],
            "rollout": {
                "start": "2026-11-01T00:00:00Z",
                "stages": [{"after_hours": 0, "percent": 100}],
                "cohorts": [],
                "halted": False,
            },
            "release_notes": "",
            "minimum_client": "0.1",
            "mandatory": False,
        }
    ],
}
RECORD = {
    "schema": 1,
    "product": "phone",
    "version": "1.2",
    "build_id": "EN1A.1",
    "rollback_index": 7,
    "hardware_ids": ["phone-a"],
    "type": "full-ota",
    "provenance": [],
    "chunks": {"size": 1048576, "root": "c" * 64},
}
DOCUMENTS: dict[str, tuple[Record[Any], Callable[[], dict[str, Any]]]] = {
    "ota-manifest": (OTA_MANIFEST, lambda: json.loads(json.dumps(MANIFEST))),
    "payload-record": (PAYLOAD_RECORD, lambda: json.loads(json.dumps(RECORD))),
    "root-extension": (ROOT_EXTENSION, lambda: extension_of(Cast())),
}
BREAKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an unknown field": lambda document: document.update(extra=1),
    "another schema number": lambda document: document.update(schema=2),
    "a boolean for the schema number": lambda document: document.update(schema=True),
    "no schema number": lambda document: document.pop("schema"),
    "null instead of a value": lambda document: document.update({min(document): None}),
}


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_a_generated_page_is_what_the_code_says(file: Path) -> None:
    assert file.read_text() == documents()[file], "run make reference"


@pytest.mark.parametrize("rule", sorted(catalogue()))
def test_every_security_rule_has_an_accept_and_a_reject_test(rule: str) -> None:
    assert marked_tests()[rule]["accept"], f"no test is marked as the accept test of {rule}"
    assert marked_tests()[rule]["reject"], f"no test is marked as the reject test of {rule}"


def test_every_mark_names_a_rule_that_exists() -> None:
    assert set(marked_tests()) <= set(catalogue())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_and_parser_accept_the_same_document(name: str) -> None:
    record, make = DOCUMENTS[name]
    jsonschema.validate(make(), json.loads(schema_text(name)))
    record.read(make(), name)


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("breaks", BREAKS)
def test_schema_and_parser_refuse_the_same_document(name: str, breaks: str) -> None:
    record, make = DOCUMENTS[name]
    document = make()
    BREAKS[breaks](document)
    with pytest.raises(MalformedError):
        record.read(document, name)
    if breaks != "a boolean for the schema number":  # to JSON Schema true and 1 are different constants as well
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, json.loads(schema_text(name)))
