"""STORE-CONDITIONAL: nothing is published to a store where two publishers could both win."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError

from enigm_testkit.buckets.ceph import ceph
from enigm_testkit.buckets.proxy import Fate, proxied
from enigm_testkit.buckets.servers import Bucket, localbucket, moto, rclone
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import RefusedError, StateError
from enigm_tuf_repository.stores.probe import PROBE, require_conditions


class _BusyError(GenericError):
    """What Ceph's gateway says to some losers."""


class _Scripted:
    """A store that says what it is told: a tag for done, None for refused."""

    url = "s3://bucket"

    def __init__(self, answers: Sequence[str | type[_BusyError] | None]) -> None:
        self.answers = list(answers)

    def put(self, path: str, data: bytes, mode: str | Mapping[str, str]) -> dict[str, str]:
        del path, data
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return {"e_tag": answer}
        if answer is None:
            raise AlreadyExistsError if mode == "create" else PreconditionError
        raise answer("busy")


def enter(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in bucket.environment.items():
        monkeypatch.setenv(variable, value)


@pytest.mark.rule("STORE-CONDITIONAL", "accept")
def test_a_store_that_honours_both_conditions_is_published_to(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto(tmp_path / "moto") as bucket:
        enter(bucket, monkeypatch)
        shelf = Shelf(bucket, "fit")
        shelf.filled_by(vendor)
        vendor.done("timestamp")

        assert len(shelf.store.fetch(PROBE, 100)) == 16, "the one object that stays"
        assert vendor.device_sees(fetcher=shelf.store) is None


@pytest.mark.rule("STORE-CONDITIONAL", "reject")
@pytest.mark.parametrize(
    ("server", "condition"),
    [(rclone, "create only if there is nothing"), (localbucket, "replace if the tag is this")],
    ids=["rclone", "localbucket"],
)
def test_a_store_that_ignores_a_condition_is_refused(
    vendor: Vendor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    server: Callable[[Path], AbstractContextManager[Bucket]],
    condition: str,
) -> None:
    with server(tmp_path / "server") as bucket:
        enter(bucket, monkeypatch)
        shelf = Shelf(bucket, "unfit")
        shelf.taken_by(vendor)

        for attempt in ("first", "once more"):  # the object of the first probe is there by then
            assert vendor.run("store", "push") == 3, attempt
            told = capsys.readouterr().err
            assert "STORE-CONDITIONAL" in told
            assert condition in told
        assert shelf.tree() == {}, "nothing was published"


def test_a_store_that_does_not_answer_is_one_clear_line(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("enigm_tuf_repository.stores.backends.RETRIES", 0)
    with moto(tmp_path / "moto") as bucket, proxied(bucket.endpoint) as proxy:
        enter(bucket, monkeypatch)
        Shelf(bucket, "silent", proxy).filled_by(vendor)
        proxy.cut_at(0, Fate.LOST)

        assert vendor.run("timestamp") == 2

    error, *rest = capsys.readouterr().err.splitlines()
    assert error.startswith("error: s3://bucket/os/silent")
    assert all(line.startswith("hint: ") for line in rest)


def test_no_bucket_and_no_right_to_write_are_told_apart_from_a_lost_race(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with moto(tmp_path / "moto") as bucket:
        enter(bucket, monkeypatch)
        Shelf(bucket, "lost").taken_by(vendor)
        file = vendor.workspace.configuration_file
        file.write_text(file.read_text().replace("s3://bucket/", "s3://none-such/"))

        assert vendor.run("store", "push") == 2

    (error, hint) = capsys.readouterr().err.splitlines()
    assert "none-such" in error
    assert hint == "hint: nothing was published"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["tag", None, None], "`replace if the tag is this` to be done for the right tag"),
        (["tag", "tag"], "`create only if there is nothing`"),
        (["tag", None, "tag", "tag"], "`replace if the tag is this` to be refused for a stale tag"),
        ([None, "tag"], "`replace if the tag is this` to be refused for a stale tag"),
    ],
)
def test_each_answer_that_is_wrong_is_refused_for_itself(answers: Sequence[str | None], told: str) -> None:
    store = _Scripted(answers)
    with pytest.raises(RefusedError, match="STORE-CONDITIONAL") as refusal:
        require_conditions(store)
    assert told in refusal.value.expected
    assert store.answers == []


@pytest.mark.parametrize("answers", [["tag", None, "tag", None], [None, None]])
def test_the_right_answers_pass(answers: Sequence[str | None]) -> None:
    require_conditions(_Scripted(answers))


def test_a_server_that_answers_anything_under_contention_is_asked_again_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    require_conditions(_Scripted([_BusyError, None, _BusyError, _BusyError, None]))
    with pytest.raises(StateError, match="busy"):
        require_conditions(_Scripted([_BusyError] * 4))


@pytest.mark.slow
def test_a_server_that_wants_tags_without_quotes_is_found_before_anything_is_published(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ceph(tmp_path / "ceph") as bucket:
        enter(bucket, monkeypatch)
        shelf = Shelf(bucket, "quoted")
        shelf.taken_by(vendor, tag_quoting="quoted")

        assert vendor.run("store", "push") == 3

        told = capsys.readouterr().err
        assert "`replace if the tag is this` to be done for the right tag" in told
        assert "hint: set `tag_quoting` in [store]" in told
        assert shelf.tree() == {}
        Shelf(bucket, "bare").filled_by(vendor)
