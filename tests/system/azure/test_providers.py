"""``causeway azure register-providers``: the real command and the real SDK against the fake of Azure."""

import json
import subprocess

import pytest

from tests.system.azure.running import PROVIDERS, FakeAzure

UNREGISTERED = {**dict.fromkeys(PROVIDERS, "Registered"), "Microsoft.Network": "NotRegistered"}


def register(azure: FakeAzure, *arguments: str) -> subprocess.CompletedProcess[str]:
    return azure.causeway("azure", "register-providers", "--plan", str(azure.folder / "causeway-plan.toml"), *arguments)


def posts(azure: FakeAzure) -> list[str]:
    return [each["path"].split("/")[-2] for each in azure.requests() if each["path"].endswith("/register")]


def test_what_is_not_registered_is_registered_and_waited_for_and_nothing_else(azure: FakeAzure) -> None:
    azure.seed(providers=UNREGISTERED)
    done = register(azure, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ok": True, "providers": dict.fromkeys(PROVIDERS, "Registered")}
    assert posts(azure) == ["Microsoft.Network"]
    assert azure.state()["providers"] == dict.fromkeys(PROVIDERS, "Registered")


def test_again_it_changes_nothing(azure: FakeAzure) -> None:
    done = register(azure)
    assert done.returncode == 0, done.stderr
    assert "Microsoft.Network: Registered" in done.stdout
    assert posts(azure) == []


def test_what_takes_longer_than_the_time_limit_is_a_problem_and_says_where_it_stands(azure: FakeAzure) -> None:
    azure.seed(providers=UNREGISTERED, looks_to_register=1000)
    done = register(azure, "--timeout", "6", "--json")
    assert done.returncode == 1
    shown = json.loads(done.stdout)
    assert not shown["ok"]
    assert shown["providers"]["Microsoft.Network"] in {"NotRegistered", "Registering"}
    assert shown["providers"]["Microsoft.Compute"] == "Registered"


def test_who_may_not_register_is_told_the_action(azure: FakeAzure) -> None:
    azure.seed(providers=UNREGISTERED, may_not_register=True)
    done = register(azure)
    assert done.returncode == 2
    assert "Microsoft.Network/register/action" in done.stderr
    assert "`causeway plan show`" in done.stderr


def test_a_short_wait_that_azure_asks_for_is_waited_and_a_long_one_is_said(azure: FakeAzure) -> None:
    busy = {"error": {"code": "TooManyRequests", "message": "The request is being throttled."}}
    fault = {"path": "/providers/Microsoft.Storage", "status": 429, "body": busy}
    azure.seed(faults=[{**fault, "headers": {"Retry-After": "1"}}])
    assert register(azure).returncode == 0
    azure.seed(faults=[{**fault, "headers": {"Retry-After": "3000"}, "times": 99}])
    done = register(azure)
    assert done.returncode == 1
    assert "AzureThrottled: the resource provider Microsoft.Storage: too many questions" in done.stderr
    assert "try again in 3000 s" in done.stderr
    assert sum(each["path"].endswith("/Microsoft.Storage") for each in azure.requests()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"raw": 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"id": "/subs'},
        {"body": "<html>welcome to the hotel's network</html>"},
        {"body": "[" * 100_000},
        {"raw": "\x00\x01\x02 nothing that HTTP knows\r\n\r\n"},
    ],
    ids=["truncated", "html", "deep", "no HTTP"],
)
def test_an_answer_that_is_none_is_one_line(azure: FakeAzure, fault: dict[str, object]) -> None:
    azure.seed(faults=[{"path": "/providers/Microsoft.Storage", "times": 99, **fault}])
    done = register(azure, "--timeout", "5")
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_host_that_never_answers_ends_with_the_time_limit(azure: FakeAzure) -> None:
    azure.seed(faults=[{"path": "/providers/Microsoft.Storage", "times": 99, "hang": True}])
    done = register(azure, "--timeout", "2")
    assert done.returncode == 1
    assert "Not all within 2 s" in done.stdout


def test_a_subscription_of_another_tenant_is_said(azure: FakeAzure) -> None:
    azure.seed(subscription={"id": "00000000-0000-0000-0000-000000000000", "state": "Enabled", "tenant_id": "x"})
    done = register(azure)
    assert done.returncode == 2
    assert "SubscriptionNotFound" in done.stderr
    assert "az account list" in done.stderr
