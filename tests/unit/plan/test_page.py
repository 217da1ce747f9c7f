"""The page of a plan serves every team, runs no script, fetches nothing, and shows hostile text as text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from causeway.plan.cost import monthly_cost
from causeway.plan.document import Plan, SoftwareUpdatePointSection
from causeway.plan.firewall import flows
from causeway.plan.page import plan_page, runbook_page
from causeway.plan.page.diagram import diagram, fit
from causeway.plan.prices import Prices, shipped
from causeway.plan.runbook import runbook
from causeway.plan.values import Target
from tests.unit.plan.plans import contoso

HOSTILE = "<script>alert(1)</script>\"'&"
LONG = f"{'a' * 60}.{'b' * 60}.corp.contoso.com"


def page(plan: Plan) -> str:
    return plan_page(plan, monthly_cost(plan, Prices([shipped()])), runbook(plan, Path("causeway-plan.toml")))


class Tags(HTMLParser):
    """What is opened and not closed."""

    EMPTY = frozenset(("meta", "br", "polyline", "rect", "path"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("target", Target)
def test_the_page_is_whole_and_holds_every_part(target: Target) -> None:
    plan = contoso(target=target)
    text = page(plan)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert "svg" in tags.seen
    for part in ("network", "dns", "pki", "azure", "size", "findings", "runbook"):
        assert f'id="{part}"' in text
        assert f'href="#{part}"' in text
    for flow in flows(plan):
        assert flow.destination in text
    for step in runbook(plan, Path("causeway-plan.toml")):
        assert f'id="step-{step.word}"' in text


def test_the_page_runs_no_script_and_fetches_nothing() -> None:
    text = page(contoso())
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert re.findall(r'(?:src|href)="(?!#)', text) == []


def test_hostile_text_in_a_plan_is_shown_as_text() -> None:
    text = page(contoso(organisation=HOSTILE, azure__resource_group=HOSTILE))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_runbook_has_a_page_of_its_own() -> None:
    steps = runbook(contoso(), Path("causeway-plan.toml"))
    text = runbook_page(contoso(), steps)
    assert text.count('class="step"') == len(steps)
    assert "Nothing is left to do." in runbook_page(contoso(), ())


@pytest.mark.parametrize(
    "plan",
    [
        contoso(),
        contoso(content__enabled=False),
        contoso(software_update_point=(SoftwareUpdatePointSection(host=LONG),)),
    ],
)
def test_every_box_and_arrow_of_the_drawing_is_within_it_and_every_line_within_its_box(plan: Plan) -> None:
    drawing = diagram(plan)
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height
        assert 34 + 16 * len(box.lines) <= box.height + 1 or box.frame
        assert all(len(line) * 6.7 <= box.width - 19 for line in box.lines)
    for arrow in drawing.arrows:
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in arrow.points)


def starts_and_ends(plan: Plan) -> set[tuple[str, str]]:
    """The titles of the boxes that arrows go from and to; an end touches an edge of its box."""
    drawing = diagram(plan)

    def touched(x: int, y: int) -> str:
        return next(
            box.title
            for box in drawing.boxes
            if not box.frame
            and box.x <= x <= box.x + box.width
            and box.y <= y <= box.y + box.height
            and (x in (box.x, box.x + box.width) or y in (box.y, box.y + box.height))
        )

    return {(touched(*arrow.points[0]), touched(*arrow.points[-1])) for arrow in drawing.arrows}


@pytest.mark.parametrize(("target", "settings"), [(Target.CAUSEWAY, True), (Target.CONFIGMGR, False)])
def test_what_is_reached_on_the_premises_is_reached_from_connection_points(target: Target, settings: bool) -> None:
    found = starts_and_ends(contoso(target=target))
    assert ("Connection points", "Public address") in found
    on_the_premises = {"Management points", "Software update points", *(["Site server"] if settings else [])}
    assert {(start, end) for start, end in found if end in on_the_premises | {"Site server"}} == {
        ("Connection points", each) for each in on_the_premises
    }


@pytest.mark.parametrize("target", Target)
def test_no_arrow_passes_through_a_box_on_the_premises(target: Target) -> None:
    drawing = diagram(contoso(target=target))
    for arrow in drawing.arrows:
        for box in drawing.boxes:
            if not box.frame and len(arrow.points) == 3:
                assert (
                    not box.x < arrow.points[1][0] < box.x + box.width
                    or box.y >= arrow.points[1][1]
                    or (box.y + box.height <= arrow.points[0][1])
                )


def test_a_long_name_is_broken_behind_a_dot() -> None:
    assert fit("cp01.corp.contoso.com", 12) == ["cp01.corp.", "contoso.com"]
    assert fit("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
