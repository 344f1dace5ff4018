"""Pages in a real browser: Debian's Chromium, without a screen and without a network. Installed when it is missing."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_SECONDS = 120


@dataclass(frozen=True)
class Picture:
    """What a browser drew. ``brightness`` is the mean, 0 to 255; ``colours`` how many different ones there are."""

    image: Image.Image

    @property
    def width(self) -> int:
        return self.image.width

    @property
    def brightness(self) -> float:
        grey = self.image.convert("L").resize((1, 1), Image.Resampling.BOX)
        return float(grey.tobytes()[0])

    @property
    def colours(self) -> int:
        return len(self.image.getcolors(self.image.width * self.image.height) or ())

    @property
    def edge_is_plain(self) -> bool:
        """The last three columns of pixels have one colour: the page's own."""
        edge = self.image.crop((self.image.width - 3, 0, self.image.width, self.image.height))
        return len(edge.getcolors(edge.width * edge.height) or ()) == 1

    @staticmethod
    def pages(page: Path, pdf: Path) -> int:
        """Print it; how many sheets of paper that takes."""
        _run("--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
        return pdf.read_bytes().count(b"/Type /Page\n")


def chromium(page: Path, width: int, height: int, *, dark: bool = False) -> Picture:
    """The page in a window of that size."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.png"
        scheme = "--blink-settings=preferredColorScheme=0" if dark else "--blink-settings=preferredColorScheme=1"
        _run(scheme, f"--window-size={width},{height}", f"--screenshot={file}", page.as_uri())
        with Image.open(file) as image:
            return Picture(image.convert("RGB"))


def _run(*arguments: str) -> None:
    if shutil.which("chromium") is None:
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
        subprocess.run(install, check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["chromium", *_QUIET, f"--user-data-dir={profile}", *arguments],
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )
