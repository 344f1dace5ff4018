"""The script on paper: one HTML page without script, network or font, to be printed, ticked and signed by hand."""

from collections.abc import Iterable
from html import escape

from enigm_tuf.model.ceremony import Script, Step
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import words

WATERMARK = "REHEARSAL"
_STYLE = """
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.4 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #000; background: #fff; margin: 0 auto;
  max-width: 190mm; padding: 4mm; }
h1 { font-size: 17pt; line-height: 1.2; margin: 0 0 1mm; }
h2 { font-size: 12.5pt; margin: 7mm 0 2mm; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; }
th, td { border: .3pt solid #555; padding: 1.6mm 2mm; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { font-size: 8.5pt; background: #eee; print-color-adjust: exact; }
code { font: 8.5pt/1.35 "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.step { border: .5pt solid #333; margin: 0 0 3mm; padding: 2.5mm 3mm; break-inside: avoid; }
.step header { display: flex; gap: 3mm; align-items: baseline; } .step header b { flex: 1; font-size: 11pt; }
.step p { margin: 1.4mm 0; } .say { border-left: 1.2mm solid #999; padding-left: 3mm; }
.box { display: inline-block; width: 4mm; height: 4mm; border: .6pt solid #000; vertical-align: -0.6mm; }
.line { display: inline-block; border-bottom: .5pt solid #000; min-width: 34mm; height: 6mm; }
.short { min-width: 18mm; } .sign { display: flex; gap: 6mm; margin-top: 2mm; flex-wrap: wrap; font-size: 9pt; }
.soft { font-size: 9pt; color: #333; }
.watermark { position: fixed; inset: 0; display: grid; place-items: center; font-size: 76pt; font-weight: 700;
  color: #000; opacity: .1; transform: rotate(-32deg); pointer-events: none; }
"""
_BOX = '<span class="box"></span>'


def page(script: Script, data: bytes, *, rehearsal: bool) -> str:
    """The page for the script whose file has the bytes ``data``; every text of the script is escaped."""
    title = f"{script.title} ({script.type})"
    watermark = f'<div class="watermark" aria-hidden="true">{WATERMARK}</div>' if rehearsal else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{watermark}"
        f"<h1>{escape(script.title)}</h1>{_about(script, data, rehearsal)}"
        f"<h2>People</h2>{_people(script)}<h2>Materials</h2>{_materials(script)}"
        f"<h2>Steps</h2>{''.join(_step(number, step) for number, step in enumerate(script.steps, 1))}"
        f"<h2>Deviations</h2>{_deviations()}<h2>Signatures</h2>{_signatures(script)}</body></html>\n"
    )


def _about(script: Script, data: bytes, rehearsal: bool) -> str:
    rows = [
        ("type", script.type + (f", {WATERMARK}: nothing made here is ever used" if rehearsal else "")),
        ("authority", f"{script.authority}, {script.environment}"),
        ("script", _digest(sha256(data))),
        (f"policy version {script.policy.version}", _digest(script.policy.sha256)),
    ]
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{text}</td></tr>" for name, text in rows)
    return f'<table>{cells}</table><p class="sign">place <span class="line"></span> date <span class="line"></span></p>'


def _digest(digest: str) -> str:
    spoken = words(digest)
    halves = f"{' '.join(spoken[:8])}<br>{' '.join(spoken[8:])}"
    return f"<code>{escape(digest)}<br>{halves}</code> {_BOX} read aloud and compared"


def _people(script: Script) -> str:
    rows = [
        (
            escape(name),
            f"{role.minimum}: " + '<span class="line"></span> ' * role.minimum,
            escape(", ".join(role.excludes)) or "-",
        )
        for name, role in script.roles.items()
    ]
    return _table(("role", "at least, by name", "never the same person as"), rows)


def _materials(script: Script) -> str:
    rows = [
        (
            _BOX,
            escape(name),
            f"<code>{escape(token.uri)}</code>",
            escape(token.serial or "gets it here: ") + ('<span class="line short"></span>' if not token.serial else ""),
            escape(token.bag or "-"),
        )
        for name, token in script.tokens.items()
    ]
    image = f"<p>image of the machine {_digest(script.image_sha256)}</p>" if script.image_sha256 else ""
    return _table(("", "token", "name", "serial", "bag"), rows) + image


def _step(number: int, step: Step) -> str:
    command = "by hand" if not step.arguments else f"<code>{escape(' '.join((step.action, *step.arguments)))}</code>"
    bag = f" (bag of {escape(step.bag)})" if step.bag else ""
    return (
        f'<section class="step"><header>{_BOX}<b>{number}. {escape(step.id)}</b>'
        f'<span class="soft">{escape(step.action)}{bag}</span></header>'
        f'<p class="say">{escape(step.actor)} says: {escape(step.say)}</p><p>{command}</p>'
        f"<p>expected: {escape(step.expect)}</p>"
        f'<p class="soft">if it fails: {escape(str(step.on_failure))}</p>'
        f'<p class="sign">time <span class="line short"></span> {escape(step.actor)} <span class="line short"></span> '
        f'{escape(step.witness)} <span class="line short"></span></p></section>'
    )


def _deviations() -> str:
    row = ("&nbsp;", "&nbsp;", "&nbsp;")
    return _table(("step", "what was otherwise", "initials"), [row] * 5)


def _signatures(script: Script) -> str:
    line = '<span class="line"></span>'
    rows = [(escape(name), line, line, line) for name, role in script.roles.items() for _ in range(role.minimum)]
    return _table(("role", "name", "signature", "date"), rows)


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
