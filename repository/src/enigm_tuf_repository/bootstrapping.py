"""``init``: a working directory from ``repository.toml``, and the request for the first root."""

from datetime import datetime
from pathlib import Path

from enigm_tuf.model.request import Authority
from enigm_tuf.trust.authority_admission import judge_root_definition
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf_repository.lineage import lineage_of
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.requests import Draft
from enigm_tuf_repository.root_building import build_root
from enigm_tuf_repository.settings import read_settings
from enigm_tuf_repository.workspace import Workspace

RECORD = "root-1"


def initialise(workspace: Workspace, configuration_file: Path, now: datetime) -> ReleaseRecord:
    """Copy what the configuration names, and open ``root-1``. Again is fine until an authority has signed."""
    settings = read_settings(configuration_file)
    root = build_root(settings, None, now)
    judge_root_definition(root, settings.config.environment)
    owner: Authority = root_owner(view_root(root))
    with new_record(workspace, RECORD):
        settings.write(workspace)
        lineage = lineage_of(workspace, load_register(workspace), without=RECORD)
        return open_record(workspace, lineage, Plan(RECORD, "root", None, (Draft(owner, {"root": root}),)), now)
