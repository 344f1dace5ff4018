"""Two rows of bars as one SVG, readable in the dark, without a script."""

import math
from collections.abc import Sequence
from html import escape

from enigm_tuf_repository.traffic.model import Row

_STYLE = (
    "text{font:13px sans-serif;fill:#1b1b1b}.t{font-weight:bold}.r{fill:#3465a4}.b{fill:#a45c34}.g{stroke:#ccc}"
    "svg{background:#fff}@media(prefers-color-scheme:dark){text{fill:#eee}svg{background:#1b1b1b}.g{stroke:#444}}"
)
_LINE, _LEFT, _WIDTH, _RIGHT = 24, 150, 460, 130


def plot(rows: Sequence[Row], title: str) -> str:
    """The document. The scale is logarithmic: a payload is a million timestamps."""
    panels = (("requests", "r", [row.requests for row in rows]), ("bytes", "b", [row.bytes for row in rows]))
    height, parts = 40, [f'<text class="t" x="10" y="24">{escape(title)}</text>']
    for name, style, values in panels:
        parts += _panel(name, style, [row.role for row in rows], values, height)
        height += (len(rows) + 2) * _LINE
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}" width="{_LEFT + _WIDTH + _RIGHT}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _panel(name: str, style: str, labels: Sequence[str], values: Sequence[int], top: int) -> list[str]:
    decades = max(math.ceil(math.log10(max(*values, 10))), 1)
    bottom = top + (len(values) + 1) * _LINE
    parts = [f'<text class="t" x="10" y="{top + 16}">{name}, a line for each power of ten</text>']
    for decade in range(decades + 1):
        x = _LEFT + _WIDTH * decade / decades
        parts.append(f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{top + _LINE}" y2="{bottom}"/>')
    for index, (label, value) in enumerate(zip(labels, values, strict=True), start=1):
        y, width = top + index * _LINE, _WIDTH * math.log10(max(value, 1)) / decades
        parts.append(f'<text x="10" y="{y + 16}">{escape(label)}</text>')
        parts.append(f'<rect class="{style}" x="{_LEFT}" y="{y + 4}" width="{width:.1f}" height="{_LINE - 8}"/>')
        parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 16}">{value:,}</text>')
    return parts
