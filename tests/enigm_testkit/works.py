"""The work of a house from day to day: products, releases and new roots, all through the two command lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enigm_testkit.fleet import Fleet
from enigm_testkit.house import House, copy_house, repository_toml
from enigm_testkit.vendor import release_toml
from enigm_tuf_repository.cli import Edges as RepositoryEdges
from enigm_tuf_repository.cli import main as enigm_repo


@dataclass
class Works:
    """``payload`` and ``manifest`` are the tokens that sign those roles; a test changes them as keys change."""

    house: House
    payload: Sequence[str] = ("payload-a", "payload-b")
    manifest: Sequence[str] = ("manifest-a",)

    def copied(self, path: Path) -> "Works":
        """The same house, with its devices, in another folder; this process uses its tokens from now on."""
        return Works(copy_house(self.house, path), self.payload, self.manifest)

    @property
    def fleet(self) -> Fleet:
        """It lies in the house's folder, and is copied with it."""
        return Fleet(self.house.path / "fleet", self.published, self.house.clock)

    @property
    def published(self) -> Path:
        return self.house.path / "repository" / "published"

    def root(self, version: int) -> Path:
        return self.published / "metadata" / f"{version}.root.json"

    def newest_root(self) -> Path:
        version = 1
        while self.root(version + 1).exists():
            version += 1
        return self.root(version)

    def run(self, *arguments: object) -> int:
        """``enigm-repo`` in this repository; the exit status."""
        command = [*(str(argument) for argument in arguments), "--repository", str(self.house.path / "repository")]
        return enigm_repo(command, RepositoryEdges(self.house.clock))

    def product(self, product: str = "phone") -> None:
        self.house.repo("product", "add", product, "--channel", "stable")
        self.publish(f"product-{product}", *self.signed(f"product-{product}"))

    def release(self, version: str) -> None:
        """Of product ``phone``, all eight steps."""
        self.prepare_release(version)
        self.publish(f"phone-{version}", *self.signed(f"phone-{version}"))

    def prepare_release(self, version: str) -> None:
        folder = self.house.path / f"build-{version}"
        folder.mkdir()
        (folder / "ota.zip").write_bytes(b"an image " + version.encode())
        (folder / "slsa.json").write_text("{}")
        (folder / "release.toml").write_text(release_toml(version))
        self.house.repo("release", "prepare", "--config", folder / "release.toml")

    def signed(self, record: str, suffix: str = "") -> list[Path]:
        """The answers of all authorities that were asked, approved by alice and bob."""
        answers: list[Path] = []
        for authority, tokens in (("release", self.payload), ("manifest", self.manifest)):
            request = self.house.request(record, f"{authority}{suffix}")
            answers += self.house.signed_by(request, *tokens) if request.exists() else []
        return answers

    def publish(self, record: str, *responses: Path) -> None:
        self.house.publish(record, *responses)

    def configuration(self, **changes: str | None) -> Path:
        """A changed configuration, beside the key records."""
        path = self.house.path / "next.toml"
        path.write_text(repository_toml(self.house, **changes))
        return path

    def root_signed(self, record: str, *tokens: str, consent: Sequence[str] = ("manifest-a",)) -> None:
        """A root, consented to by these tokens first, then signed by those of its owner; attached."""
        answers = self.house.signed_by(self.house.request(record, "manifest"), *consent) if consent else []
        answers += self.house.signed_by(self.house.request(record), *tokens, consents=answers)
        self.house.repo("release", "attach", record, *answers)

    def follow(self, record: str) -> None:
        """The roles that follow a signed root: asked for, signed and attached."""
        self.house.repo("root", "follow", record)
        self.house.repo("release", "attach", record, *self.signed(record, "-roles"))

    def finish(self, record: str) -> None:
        for step in ("verify", "gate", "publish"):
            self.house.repo("release", step, record)
