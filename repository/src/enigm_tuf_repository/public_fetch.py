"""PUBLIC-FETCH: what a device would be given, through the CDN, is what was published, byte for byte."""

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.ports import Fetcher
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_repository.publishing import AT_ONCE, in_order, published_paths
from enigm_tuf_repository.records import ReleaseRecord, Step, save_record
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.stores.caching import TIMESTAMP, TIMESTAMP_SECONDS
from enigm_tuf_repository.workspace import Workspace

_PIECE = 2**20
_MARGIN = 5  # seconds beyond the timestamp's life in a cache: caches count in whole seconds


def checked_in_public(
    workspace: Workspace, record: ReleaseRecord, pause: Callable[[float], None] = time.sleep
) -> tuple[ReleaseRecord, RuleOutcome | None]:
    """The record with a finding in its last step, if a public URL is configured; once it passed, that stands."""
    settings, step = workspace.store_settings(), record.evidence(Step.PUBLISHED)
    if settings is None or settings.public_url is None or step is None:
        return record, None
    before = next((item for item in step.findings if item.rule == RepositoryRule.PUBLIC_FETCH), None)
    if before and before.passed:
        return record, before
    seconds = TIMESTAMP_SECONDS if settings.timestamp_seconds is None else settings.timestamp_seconds
    files = published_paths(step.digests)
    found = fetch_back(settings.public_url, workspace.staged(record.id), files, seconds + _MARGIN, pause)
    findings = (*(item for item in step.findings if item.rule != found.rule), found)
    record = record.with_evidence(replace(step, findings=findings))
    save_record(workspace, record)
    return record, found


def fetch_back(
    url: str, tree: Path, files: Mapping[str, str], patience: float, pause: Callable[[float], None]
) -> RuleOutcome:
    """The finding on files below ``tree``, by their SHA-256. An old timestamp is waited for, ``patience`` seconds."""
    paths = [path for group in in_order(files) for path in group]
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            same = list(pool.map(lambda path: _is_there(url, tree, path, files[path]), paths))
        wrong = [path for path, right in zip(paths, same, strict=True) if not right]
        if not wrong and TIMESTAMP in files and not _comes(url, tree, files[TIMESTAMP], patience, pause):
            wrong = [TIMESTAMP]
    except EnigmTufError as error:
        return RuleOutcome(RepositoryRule.PUBLIC_FETCH, False, str(error))
    if wrong:
        return RuleOutcome(RepositoryRule.PUBLIC_FETCH, False, f"{url}/{wrong[0]}: not the bytes that were published")
    return RuleOutcome(RepositoryRule.PUBLIC_FETCH, True, f"{url}: {len(files)} files as they were published")


def _comes(url: str, tree: Path, digest: str, seconds: float, pause: Callable[[float], None]) -> bool:
    """The timestamp may be an old one for as long as caches may keep it."""
    while not (there := _is_there(url, tree, TIMESTAMP, digest)) and seconds > 0:
        pause(1)
        seconds -= 1
    return there


def _is_there(url: str, tree: Path, path: str, digest: str) -> bool:
    """Whether the URL gives these bytes. No more than one byte too many is read."""
    size, got = (tree / path).stat().st_size, hashlib.sha256()
    fetcher: Fetcher = HttpFetcher(url)  # one for each thread
    buffer = memoryview(bytearray(_PIECE))
    with fetcher.open(path, 0, size + 1) as source:
        while count := source.readinto(buffer):
            got.update(buffer[:count])
    return got.hexdigest() == digest
