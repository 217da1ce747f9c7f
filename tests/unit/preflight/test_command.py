"""``causeway check`` takes groups that exist, and every check has its heading in the documentation."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from causeway.cli.check import followed_plan
from causeway.cli.check.app import app
from causeway.cli.shared.addresses import host_and_port
from causeway.errors import OperatorError
from causeway.pki.inspection import CHECK_NAMES
from causeway.plan.document import plan_text
from causeway.preflight import certificate, client_trust, directory, dns_results, entra_results, names, network
from causeway.preflight.azure import names_free
from causeway.preflight.azure import probes as azure
from causeway.preflight.probe import Group
from causeway.preflight.site import comparison, management_point_results, update_point
from tests.unit.plan.plans import contoso

DOCS = Path(__file__).parents[3] / "docs"
CHECKS = (
    followed_plan.CHECK,
    *names.CHECKS,
    *names_free.CHECKS,
    *azure.CHECKS,
    *certificate.CHECKS,
    *client_trust.CHECKS,
    *CHECK_NAMES,
    *dns_results.CHECKS,
    *network.CHECKS,
    *directory.CHECKS,
    *management_point_results.CHECKS,
    *update_point.CHECKS,
    *entra_results.CHECKS,
    *comparison.CHECKS,
)


def test_every_check_and_every_group_has_its_heading() -> None:
    headings = re.findall(r"^(#+) (.+)$", (DOCS / "checks.md").read_text(), re.MULTILINE)
    assert {title for marks, title in headings if marks == "##"} == set(Group)
    assert sorted(title for marks, title in headings if marks == "###") == sorted(CHECKS)


def test_names_are_checked_and_the_exit_code_says_how_it_went(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(plan_text(contoso(azure__subscription_id=None)))  # so that Azure is not asked
    good = CliRunner().invoke(app, ["--plan", str(file), "--only", "names"])
    assert good.exit_code == 0, good.output
    assert good.output.endswith("checks, 1 with a warning, 1 skipped.\n")
    file.write_text(plan_text(contoso(names__prefix="my-cmg", azure__subscription_id=None)))
    bad = CliRunner().invoke(app, ["--plan", str(file), "--only", "names", "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["ok"] is False


@pytest.mark.parametrize("group", ["azur", "everything"])
def test_a_group_that_there_is_not_is_wrong_use(group: str) -> None:
    assert CliRunner().invoke(app, ["--only", group]).exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.example", ("a.example", 443)),
        ("a.example:8443", ("a.example", 8443)),
        ("[::1]:8443", ("::1", 8443)),
        ("[::1]", ("::1", 443)),
        ("::1", ("::1", 443)),
    ],
)
def test_an_address_is_a_host_with_or_without_port(text: str, expected: tuple[str, int]) -> None:
    assert host_and_port(text, 443) == expected


@pytest.mark.parametrize("text", ["", ":", "a:", "a:x", "a:0", "a:65536", "[::1]x", "[::1]:", "[]"])
def test_what_is_no_address_is_wrong_use(text: str) -> None:
    with pytest.raises(OperatorError, match="expected HOST or HOST:PORT"):
        host_and_port(text, 443)
