"""``causeway plan`` as a person and as a script use it."""

import csv
import io
import json
from pathlib import Path

import pytest

from causeway.plan.document import read_plan
from tests.system.plan.running import CONTOSO, at_a_terminal, plan


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Contoso's plan, made from flags alone."""
    folder = tmp_path_factory.mktemp("planned")
    made = plan(folder, "new", *CONTOSO)
    assert made.returncode == 0, made.stderr
    assert "causeway-plan.toml is written." in made.stdout
    return folder


def test_a_plan_from_flags_is_readable_by_others_and_shows_what_follows(planned: Path) -> None:
    assert (planned / "causeway-plan.toml").stat().st_mode & 0o777 == 0o644
    shown = plan(planned, "show", "--explain")
    assert shown.returncode == 0, shown.stderr
    for expected in (
        "contosogateway.westeurope.cloudapp.azure.com",
        "TCP 10124 to 10127",
        "a storage account takes no hyphen",
        "at least $",
    ):
        assert expected in shown.stdout
    assert "\x1b" not in shown.stdout


def test_at_a_terminal_a_wrong_answer_is_explained_and_asked_again(tmp_path: Path) -> None:
    code, shown = at_a_terminal(
        tmp_path,
        ["new"],
        {
            "Your organisation": ["Contoso"],
            "Service name": ["contoso.com", "gateway.contoso.com"],
            "Deployment prefix": ["my-cmg", "mycmg"],
            "Connection points": ["cp01.corp.contoso.com, cp02.corp.contoso.com"],
            "Management points": ["mp01.corp.contoso.com"],
        },
    )
    assert code == 0, shown
    assert "a zone's own name cannot have a CNAME record" in shown
    assert "my-cmg holds a hyphen; a storage account takes only lower-case letters and digits" in shown
    assert "Deployment prefix [contosogateway]: " in shown
    assert read_plan(tmp_path / "causeway-plan.toml").names.prefix == "mycmg"


def test_a_plan_that_exists_is_never_replaced_unasked(planned: Path) -> None:
    before = (planned / "causeway-plan.toml").read_bytes()
    refused = plan(planned, "new", *CONTOSO, "--region=northeurope")
    assert refused.returncode == 2
    assert refused.stderr == "error: causeway-plan.toml: exists already; --force replaces it, --out names another\n"
    assert (planned / "causeway-plan.toml").read_bytes() == before


def test_two_plans_are_compared_with_what_follows(planned: Path) -> None:
    assert plan(planned, "new", *CONTOSO, "--region=northeurope", "--out=north.toml").returncode == 0
    found = plan(planned, "diff", "causeway-plan.toml", "north.toml", "--json")
    assert found.returncode == 1
    document = json.loads(found.stdout)
    assert document["changed"] == [
        {"what": "azure.region", "before": "westeurope", "after": "northeurope", "needs_redeployment": True}
    ]
    assert any("CNAME" in each["what"] for each in document["follows"])
    assert plan(planned, "diff", "north.toml", "north.toml").stdout == "The plans are the same.\n"


def test_a_plan_that_cannot_work_says_why_and_exits_with_1(planned: Path) -> None:
    text = (planned / "causeway-plan.toml").read_text()
    (planned / "wrong.toml").write_text(text.replace('region = "westeurope"', 'region = "usgovvirginia"'))
    shown = plan(planned, "show", "wrong.toml")
    assert shown.returncode == 1
    assert "usgovvirginia is a region of Azure US Government, and the plan's cloud is Azure Global" in shown.stdout
    assert json.loads(plan(planned, "show", "wrong.toml", "--json").stdout)["findings"][0]["severity"] == "error"


def test_the_firewall_list_is_read_by_a_spreadsheet(planned: Path) -> None:
    listed = plan(planned, "firewall", "--format=csv")
    rows = list(csv.DictReader(io.StringIO(listed.stdout)))
    assert {row["ports"] for row in rows if row["source"] == "cp01.corp.contoso.com"} == {"10124-10127", "443", "8531"}
    assert len(json.loads(plan(planned, "firewall", "--json").stdout)["rules"]) == len(rows)


def test_the_custom_roles_are_json_of_azure(planned: Path) -> None:
    roles = json.loads(plan(planned, "roles").stdout)
    assert [sorted(role) for role in roles] == [
        [
            "Actions",
            "AssignableScopes",
            "DataActions",
            "Description",
            "IsCustom",
            "Name",
            "NotActions",
            "NotDataActions",
        ]
    ] * 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory; name another, or make one with `causeway plan new`"),
        (b"", "key organisation is missing and has no default"),
        (bytes(range(256)), "cannot be read: not UTF-8"),
        (b"[" * 100_000, "not TOML: "),
        (b'version = 7\nfuture = "x"\n', "line 1: key version: expected 1; the plan is of a newer causeway"),
    ],
)
@pytest.mark.parametrize("command", ["show", "firewall"])
def test_a_file_that_is_no_plan_is_one_line(tmp_path: Path, command: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "causeway-plan.toml").write_bytes(content)
    refused = plan(tmp_path, command)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: causeway-plan.toml: ")
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
