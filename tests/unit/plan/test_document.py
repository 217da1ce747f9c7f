"""A plan reads back as it was written, and a wrong one is one line with file, line, key and what was expected."""

import dataclasses
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.clouds import CloudName
from causeway.errors import ConfigurationError
from causeway.plan.document import Plan, parse_plan, plan_text, read_plan
from causeway.plan.values import ClientAuthentication, Target
from tests.unit.plan.plans import CONTOSO, contoso

PATH = Path("causeway-plan.toml")


def complaint(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_plan(text, PATH)
    message = str(caught.value)
    assert message.startswith(f"{PATH}: ")
    assert "\n" not in message
    return message.removeprefix(f"{PATH}: ")


def test_contosos_plan_is_read() -> None:
    plan = contoso()
    assert (plan.target, plan.azure.cloud, plan.names.prefix) == (Target.CAUSEWAY, CloudName.GLOBAL, "contosogateway")
    assert plan.clients.authentication == (ClientAuthentication.CERTIFICATE, ClientAuthentication.TOKEN)
    assert [each.host for each in plan.connection_point] == ["cp01.corp.contoso.com", "cp02.corp.contoso.com"]


def test_a_plan_reads_back_as_it_was_written_and_is_written_the_same_again() -> None:
    text = plan_text(contoso())
    again = parse_plan(text, PATH)
    assert again == contoso()
    assert plan_text(again) == text


def test_every_key_of_a_written_plan_has_its_comment() -> None:
    lines = plan_text(contoso()).splitlines()
    assert "# How many may be on the internet at the same time." in lines
    assert lines[lines.index("expected = 5000") - 1] == "# How many may be on the internet at the same time."


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version = 1", "version = 2", "key version: expected 1; the plan is of a newer causeway"),
        ("version = 1", "version = 0", "key version: expected 1 (found 0)"),
        ('prefix = "', 'perfix = "', "key names.perfix is unknown; remove it or correct its spelling"),
        ('"westeurope"', '"West Europe"', "key azure.region: "),
        ('"gateway.contoso.com"', '"gateway"', "key names.service_name: expected a DNS name"),
        ('"gateway.contoso.com"', '"a..b"', "key names.service_name: expected a DNS name"),
        ("11111111-2222", "1111-2222", "key azure.tenant_id: expected a GUID"),
        ('["certificate", "token"]', '["password"]', "key clients.authentication.0: should be 'certificate'"),
        ('["certificate", "token"]', "[]", "key clients.authentication: "),
        ('"cp02.corp.contoso.com"', '"cp02"', "key connection_point.1.host: expected a DNS name"),
        ("expected = 5000", "expected = 0", "key clients.expected: should be greater than or equal to 1"),
        ("expected = 5000", 'expected = "5000"', "key clients.expected: should be a valid integer"),
        ('"Contoso"', '"Con\\ntoso"', "key organisation: expected one line of text"),
        ('"Contoso"', '" Contoso"', "key organisation: expected one line of text"),
        ('"connection-points"', '"admins"', "key directory.group.0.purpose: should be 'connection-points'"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_key(old: str, new: str, expected: str) -> None:
    line = CONTOSO[: CONTOSO.index(old)].count("\n") + 1
    assert complaint(CONTOSO.replace(old, new, 1)).startswith(f"line {line}: {expected}")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@proxy.corp.contoso.com:8080",
        "http://proxy.corp.contoso.com",
        "https://proxy.corp.contoso.com:8080",
        "http://proxy.corp.contoso.com:99999",
        "http://proxy.corp.contoso.com:8080/path",
        "http://[::1",
        "http://pro xy:80",
    ],
)
def test_a_web_proxy_is_host_and_port_and_never_holds_a_password(url: str) -> None:
    assert "key proxy.url: expected http://host:port, without credentials" in complaint(
        f'{CONTOSO}[proxy]\nurl = "{url}"\n'
    )


def test_capital_letters_of_a_guid_are_no_difference_and_a_service_name_keeps_its_own() -> None:
    text = CONTOSO.replace("66666666-7777", "ABCDEF66-7777").replace("gateway.contoso.com", "Gateway.Contoso.com")
    plan = parse_plan(text, PATH)
    assert plan.azure.subscription_id == "abcdef66-7777-8888-9999-000000000000"
    assert plan.names.service_name == "Gateway.Contoso.com"


def test_a_missing_plan_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory; name another, or make one with"):
        read_plan(tmp_path / "none.toml")


def test_no_key_of_a_plan_could_hold_a_secret() -> None:
    def keys(cls: Any) -> set[str]:
        found = set()
        for field in dataclasses.fields(cls):
            found.add(field.name)
            hint = get_type_hints(cls)[field.name]
            for inner in (hint, *get_args(hint)):
                if dataclasses.is_dataclass(inner):
                    found |= keys(inner)
        return found

    assert {key for key in keys(Plan) if any(word in key for word in ("password", "secret", "token", "pin"))} == set()


@given(st.integers(0, len(CONTOSO)), st.binary(max_size=40))
def test_a_plan_that_is_cut_or_overwritten_is_a_plan_or_one_line_of_complaint(at: int, junk: bytes) -> None:
    text = CONTOSO[:at] + junk.decode("latin-1")
    for each in (text, text + CONTOSO[at + len(junk) :]):
        try:
            said = repr(parse_plan(each, PATH))
        except ConfigurationError as error:
            said = str(error)
        assert said.startswith(("Plan(", f"{PATH}: "))
        assert "\n" not in said


@given(st.binary(max_size=200))
def test_any_bytes_as_a_file_are_one_line_of_complaint(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        read_plan(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
