"""The page: one HTML file that needs no network and no script, in light and dark, on paper and on a phone."""

from importlib.resources import files

from jinja2 import Environment as Templates
from jinja2 import StrictUndefined
from markupsafe import Markup

from enigm_tuf.trust.eligibility import reached_percent
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.report.changes import changes
from enigm_tuf_repository.report.drawing import TICKS, bars, in_words, place, stairs
from enigm_tuf_repository.report.facts import Facts, write_facts


def render(facts: Facts, before: Facts | None) -> str:
    """The whole page; every text in it is escaped. ``before`` are the facts of an earlier report."""
    here = files(__package__)
    templates = Templates(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = templates.from_string((here / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        facts=facts,
        before=before,
        changes=changes(before, facts) if before else (),
        bars=bars(facts),
        ticks=[(name, place(days)) for name, days in TICKS],
        steps=[str(step) for step in Step],
        next_expiry=min(facts.roles, key=lambda item: item.expires),
        roles={item.role: item for item in facts.roles},
        in_words=in_words,
        reached=reached_percent,
        stairs=stairs,
        style=Markup((here / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        data=Markup(write_facts(facts)),  # noqa: S704 - JSON in which no element can end
    )
