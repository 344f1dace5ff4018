"""The generator of histories: a state machine whose rules change the repository, the time or the answers."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tuf.api.metadata import DelegatedRole

from enigm_testkit.histories.attacks import NAMES, Attack
from enigm_testkit.histories.keys import POOL, TWINS, SoftSigner
from enigm_testkit.histories.play import PATHS, Play
from enigm_testkit.histories.repository import TOP, Repository

KEYS = st.lists(st.sampled_from(POOL), min_size=1, max_size=3, unique_by=lambda key: key.keyid)
NUMBER = st.integers(0, 7)
OFFLINE = Attack("offline", 0, 0, 0, 0)
PATTERNS = ("*", "x/*", "x/?", "*/*/b", "*/[!b]", "n*")
DELEGATES = ("a", "b", "c/d", "e.1")
ATTACKS = st.builds(Attack, st.sampled_from(NAMES), NUMBER, NUMBER, st.integers(1, 5), NUMBER)
AFTER = st.none() | st.just(OFFLINE) | ATTACKS | ATTACKS
"""How the clients find what was published: as it is, not at all, or with an attack upon it."""
JUMPS = st.sampled_from([-2, -1, 1, 1000])


class Histories(RuleBasedStateMachine):
    """Each rule is one step; both clients look after each, but for those that find them offline."""

    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="histories"))
        self._attack: Attack | None = OFFLINE

    @initialize(keys=st.tuples(KEYS, KEYS, KEYS, KEYS), consistent=st.booleans(), meta_style=st.integers(0, 3))
    def start(self, keys: tuple[list[SoftSigner], ...], consistent: bool, meta_style: int) -> None:
        by_role = dict(zip(TOP, keys, strict=True))
        self._repository = Repository(by_role, consistent=consistent, meta_style=meta_style)
        self._play = Play(self._repository, self._folder / "ngclient", self.counts)
        self._attack = None

    @rule(role=NUMBER, path=st.sampled_from(PATHS), content=st.none() | st.binary(max_size=2), after=AFTER)
    def release(self, role: int, path: str, content: bytes | None, after: Attack | None) -> None:
        self._repository.list_target(self._delegator(role), path, content)
        self._publish(after)

    @rule(role=NUMBER, keys=KEYS, threshold=st.integers(1, 3), kind=st.integers(0, 11), after=AFTER)
    def rotate(self, role: int, keys: list[SoftSigner], threshold: int, kind: int, after: Attack | None) -> None:
        """Sometimes with one key under two keyids (11), sometimes with a key of tomorrow (9, 10)."""
        names = self._repository.roles()
        keys = [*keys, TWINS[POOL.index(keys[0])]] if kind == 11 else keys
        self._repository.rotate(names[role % len(names)], keys, min(threshold, len(keys)), exotic=kind in {9, 10})
        self._publish(after)

    @rule(
        parent=NUMBER,
        name=st.sampled_from(DELEGATES),
        patterns=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True),
        prefixes=st.none() | st.sets(st.sampled_from(PATHS)),
        terminating=st.booleans(),
        keys=KEYS,
        threshold=st.integers(1, 2),
        after=AFTER,
    )
    def delegate(
        self,
        parent: int,
        name: str,
        patterns: list[str],
        prefixes: set[str] | None,
        terminating: bool,
        keys: list[SoftSigner],
        threshold: int,
        after: Attack | None,
    ) -> None:
        """By pattern, or by the first digits of the hashes of some paths. Cycles come of themselves."""
        keyids, threshold = [key.keyid for key in keys], min(threshold, len(keys))
        hashes = [hashlib.sha256(path.encode()).hexdigest()[: 1 + len(path) % 3] for path in sorted(prefixes or ())]
        where: dict[str, Any] = {"paths": patterns} if prefixes is None else {"path_hash_prefixes": hashes}
        role = DelegatedRole(name, keyids, threshold, terminating, **where)
        self._repository.delegate(self._delegator(parent), role, keys)
        self._publish(after)

    @rule(parent=NUMBER, bits=st.integers(1, 2), keys=KEYS, after=AFTER)
    def delegate_bins(self, parent: int, bits: int, keys: list[SoftSigner], after: Attack | None) -> None:
        self._repository.delegate_bins(self._delegator(parent), bits, keys)
        self._publish(after)

    @rule(parent=NUMBER, victim=NUMBER, after=AFTER)
    def drop_delegation(self, parent: int, victim: int, after: Attack | None) -> None:
        name = self._delegator(parent)
        delegations = self._repository.targets[name].delegations
        if delegations is not None and delegations.roles:
            roles = delegations.roles
            del roles[sorted(roles)[victim % len(roles)]]
            self._repository.dirty.add(name)
        self._publish(after)

    @rule(role=NUMBER, by=JUMPS, after=AFTER)
    def jump(self, role: int, by: int, after: Attack | None) -> None:
        """Fast forward, or a rollback by somebody who holds the keys; -1 signs a second file of the same version."""
        names = self._repository.roles()
        self._repository.jump(names[role % len(names)], by)
        self._publish(after)

    @rule(role=NUMBER, hours=st.sampled_from([0, 1, 30]), after=AFTER)
    def change_lifetime(self, role: int, hours: int, after: Attack | None) -> None:
        """What is published next expires at once, or soon."""
        name = self._repository.roles()[role % len(self._repository.roles())]
        self._repository.hours[name] = hours
        self._repository.dirty |= {name} & {"root", *self._repository.targets}
        self._publish(after)

    @rule(meta_style=st.integers(0, 3), after=AFTER)
    def change_meta(self, meta_style: int, after: Attack | None) -> None:
        """Lengths and hashes come and go."""
        self._repository.meta_style = meta_style
        self._publish(after)

    @rule(victim=NUMBER, after=AFTER)
    def vanish_from_snapshot(self, victim: int, after: Attack | None) -> None:
        meta = self._repository.snapshot.meta
        if meta:
            del meta[sorted(meta)[victim % len(meta)]]
        self._publish(after)

    @rule(everything=st.booleans(), after=AFTER)
    def renew(self, everything: bool, after: Attack | None) -> None:
        """New versions and signatures of root and targets, whether they need them or not."""
        if everything:
            self._repository.dirty |= {"root", *self._repository.targets}
        self._publish(after)

    @rule(seconds=st.sampled_from([1, 3599, 3600, 100_000, 1_000_000]))
    def wait(self, seconds: int) -> None:
        self._repository.now += timedelta(seconds=seconds)
        self._attack = None

    @rule(attack=ATTACKS)
    def attack(self, attack: Attack) -> None:
        self._attack = attack

    @rule()
    def forget_verifications(self) -> None:
        self._play.ours.forget_verifications()
        self._attack = None

    @invariant()
    def both_clients_agree(self) -> None:
        if self._attack is not OFFLINE:
            self._play.observe(self._attack)
            self._attack = None

    def teardown(self) -> None:
        shutil.rmtree(self._folder)

    def _delegator(self, number: int) -> str:
        names = list(self._repository.targets)
        return names[number % len(names)]

    def _publish(self, after: Attack | None) -> None:
        self._repository.publish()
        self._attack = after
