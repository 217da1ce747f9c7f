"""``causeway check --only directory`` against Samba's domain controller: it fails, its remedy is done, it passes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.system.certificates import certificates
from tests.system.plan.running import CAUSEWAY
from tests.system.samba import ADDRESS, DOMAIN, HOST, REALM, Samba, samba
from tests.unit.plan.plans import CONTOSO

READER, PASSWORD = "reader", "Of-this-test-2"
SCRIPT = f"""
sam.newuser("{READER}", "{PASSWORD}")
sam.newuser("stranger", "{PASSWORD}")
sam.newcomputer("CP01")
sam.newcomputer("CP02")
sam.newcomputer("CP09")
for name in ("CP01$", "CP02$", "CP09$"):
    change(name, userAccountControl=4096)  # they are made disabled
sam.newgroup("Sound")
sam.newgroup("Within")
sam.newgroup("Primary")
sam.add_remove_group_members("Sound", ["CP01$", "Within", "Primary"])
sam.add_remove_group_members("Within", ["CP02$"])
sam.add_remove_group_members("Primary", ["{READER}"])
rid = sam.search(expression="(sAMAccountName=Primary)", attrs=["primaryGroupToken"])[0]["primaryGroupToken"][0]
change("{READER}", primaryGroupID=int(str(rid)))
"""
HEADINGS = Path(__file__).parents[3] / "docs/checks.md"


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    with samba(tmp_path_factory.mktemp("samba"), certificates("directory"), script=SCRIPT) as found:
        yield found


@pytest.fixture
def ticket(domain: Samba, tmp_path: Path) -> dict[str, str]:
    return domain.kinit(READER, PASSWORD, cache=tmp_path / "tickets")


@pytest.fixture
def password(tmp_path: Path, domain: Samba) -> tuple[str | Path, ...]:
    """Options that sign in by name and password, and trust the authority of LDAPS."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    user = f"{READER}@{DOMAIN}"
    return "--directory-user", user, "--directory-password-file", file, "--ca", domain.certificates.root


def plan_text(*groups: tuple[str, list[str]], domain: str = DOMAIN) -> str:
    text = CONTOSO.partition("[directory]")[0] + f'[directory]\ndomain = "{domain}"\n'
    for name, members in groups:
        text += f'[[directory.group]]\nname = "{name}"\npurpose = "administrators"\nmembers = {json.dumps(members)}\n'
    return text


def check(
    domain: Samba,
    folder: Path,
    plan: str,
    *options: str | Path,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run it on the island; without a ticket, unless ``environment`` has one."""
    file = folder / "plan.toml"
    file.write_text(plan)
    empty = {**domain.environment, "KRB5CCNAME": f"FILE:{folder / 'no-tickets'}", "COLUMNS": "200"}
    return domain.island.run(
        *CAUSEWAY,
        "check",
        "--plan",
        file,
        "--only",
        "directory",
        *options,
        environment={**empty, **(environment or {})},
    )


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert "Traceback" not in done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    headings = HEADINGS.read_text()
    assert all(f"\n### {name}\n" in headings for name in found)
    return found


SOUND = plan_text(("Sound", ["CP01$", "cp02$", READER]))


def test_with_a_ticket_members_are_found_directly_in_nested_groups_and_by_their_primary_group(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    done = check(domain, tmp_path, SOUND, "--json", "--ca", domain.certificates.root, environment=ticket)
    found = checks(done)
    assert {each["status"] for each in found.values()} == {"PASS"}, done.stdout
    assert found["directory controller"]["target"] == HOST
    assert "found in the DNS" in found["directory controller"]["details"]
    assert found["directory sign-in"]["details"] == "the ticket's account, by Kerberos over ldap"
    assert found["directory members"]["details"] == f"CP01$, CP02$ through Within, {READER} through Primary"
    assert found["directory certificate"]["target"] == f"{HOST}:636"
    assert done.returncode == 0


def test_a_keytab_signs_in_without_a_ticket(domain: Samba, tmp_path: Path) -> None:
    keytab = domain.keytab(READER, tmp_path / "keytab")
    options = ("--directory-user", f"{READER}@{REALM}", "--directory-keytab", keytab, "--json")
    found = checks(check(domain, tmp_path, SOUND, *options))
    assert found["directory sign-in"]["status"] == found["directory members"]["status"] == "PASS"


@pytest.mark.parametrize("transport", ["ldaps", "starttls"])
def test_a_password_signs_in_within_tls(
    domain: Samba, tmp_path: Path, password: tuple[str | Path, ...], transport: str
) -> None:
    done = check(domain, tmp_path, SOUND, *password, "--directory-transport", transport, "--json")
    found = checks(done)
    assert {each["status"] for each in found.values()} == {"PASS"}, done.stdout
    assert found["directory sign-in"]["details"] == f"{READER}@{DOMAIN}, by password over {transport}"


def test_a_missing_group_is_made_and_filled_by_its_remedy(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    plan = plan_text(("Gateway's servers", ["CP01$"]))
    before = check(domain, tmp_path, plan, environment=ticket)
    assert before.returncode == 1
    assert "New-ADGroup -Name 'Gateway''s servers' -GroupScope Global -GroupCategory Security" in before.stdout
    assert "`Add-ADGroupMember -Identity 'Gateway''s servers' -Members 'CP01$'`" in before.stdout
    # What these commands of PowerShell do, done here by Samba.
    domain.edit("""
sam.newgroup("Gateway's servers")
sam.add_remove_group_members("Gateway's servers", ["CP01$"])
""")
    after = check(domain, tmp_path, plan, environment=ticket)
    assert after.returncode == 0, after.stdout


def test_a_missing_member_fails_a_disabled_one_and_a_stranger_are_warned_of(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    domain.edit("""
sam.newgroup("Mixed")
sam.add_remove_group_members("Mixed", ["CP09$", "stranger"])
change("CP09$", userAccountControl=4096 | 2)
""")
    plan = plan_text(("Mixed", ["CP01$", "CP09$", "CP77$"]))
    done = check(domain, tmp_path, plan, "--json", environment=ticket)
    results = json.loads(done.stdout)["checks"]
    members = next(each for each in results if each["name"] == "directory members")
    assert (members["status"], members["details"]) == ("FAIL", "not in it: CP01$")
    assert "`Add-ADGroupMember -Identity 'Mixed' -Members 'CP01$'`" in members["action"]
    others = next(each for each in results if each["name"] == "directory others")
    assert (others["status"], others["details"]) == ("WARN", "in it, and not in the plan: stranger")
    assert "`Remove-ADGroupMember -Identity 'Mixed' -Members 'stranger'`" in others["action"]
    accounts = {each["target"]: each for each in results if each["name"] == "directory accounts"}
    assert (accounts["CP09$"]["status"], accounts["CP77$"]["status"]) == ("WARN", "FAIL")
    assert "`Enable-ADAccount -Identity 'CP09$'`" in accounts["CP09$"]["action"]
    assert "there is no such account" in accounts["CP77$"]["details"]
    assert done.returncode == 1


def test_a_group_of_the_wrong_kind_is_told_with_the_command_that_changes_it(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    domain.edit("""
sam.newgroup("For mail", grouptype=2)
sam.newgroup("Local", grouptype=-2147483644)
""")
    done = check(domain, tmp_path, plan_text(("For mail", []), ("Local", [])), environment=ticket)
    assert done.returncode == 1
    assert "FAIL  directory group  For mail" in done.stdout
    assert "Set-ADGroup -Identity 'For mail' -GroupCategory Security" in done.stdout
    assert "WARN  directory group  Local" in done.stdout
    assert "Set-ADGroup -Identity 'Local' -GroupScope Universal" in done.stdout


def test_a_wrong_password_and_a_disabled_account_are_told_apart(
    domain: Samba, tmp_path: Path, password: tuple[str | Path, ...]
) -> None:
    (tmp_path / "password").write_text("wrong")
    found = checks(check(domain, tmp_path, SOUND, *password, "--json"))
    assert found["directory sign-in"]["status"] == "FAIL"
    assert "name or password is wrong" in found["directory sign-in"]["details"]
    assert "directory group" not in found
    (tmp_path / "password").write_text(PASSWORD)
    domain.edit(f'sam.newuser("gone", "{PASSWORD}")\nchange("gone", userAccountControl=512 | 2)')
    options = tuple(f"gone@{DOMAIN}" if each == f"{READER}@{DOMAIN}" else each for each in password)
    found = checks(check(domain, tmp_path, SOUND, *options, "--json"))
    assert "the account is disabled" in found["directory sign-in"]["details"]


def test_without_a_ticket_it_is_skipped_with_the_command_and_with_an_expired_one_it_fails(
    domain: Samba, tmp_path: Path
) -> None:
    done = check(domain, tmp_path, SOUND, "--ca", domain.certificates.root)
    assert done.returncode == 0, done.stdout
    assert "SKIP  directory sign-in" in done.stdout
    assert "there is no Kerberos ticket" in done.stdout
    assert "kinit" in done.stdout
    environment = domain.kinit(READER, PASSWORD, "-l", "1s", cache=tmp_path / "short")
    # The time passes for klist's own look at the cache: it fails where no ticket is good any more.
    klist = ("sh", "-c", "while klist -s; do sleep 0.1; done")
    assert domain.island.run(*klist, environment=environment).returncode == 0
    found = checks(check(domain, tmp_path, SOUND, "--json", environment=environment))
    assert found["directory sign-in"]["status"] == "FAIL"
    assert "the Kerberos ticket has expired" in found["directory sign-in"]["details"]
    assert found["directory sign-in"]["action"] == "Run `kinit`."


def test_an_untrusted_certificate_stops_a_password_and_only_warns_with_kerberos(
    domain: Samba, tmp_path: Path, password: tuple[str | Path, ...], ticket: dict[str, str]
) -> None:
    found = checks(check(domain, tmp_path, SOUND, *password[:4], "--json"))
    assert found["directory certificate"]["status"] == "FAIL"
    assert "not trusted" in found["directory certificate"]["details"]
    assert "--ca FILE" in found["directory certificate"]["action"]
    assert found["directory sign-in"]["status"] == "SKIP"
    found = checks(check(domain, tmp_path, SOUND, "--json", environment=ticket))
    assert found["directory certificate"]["status"] == "WARN"
    assert found["directory sign-in"]["status"] == "PASS"


def test_kerberos_within_tls_is_refused_where_signing_is_required_and_the_remedy_says_how(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    options = ("--directory-transport", "ldaps", "--ca", domain.certificates.root, "--json")
    found = checks(check(domain, tmp_path, SOUND, *options, environment=ticket))
    assert found["directory sign-in"]["status"] == "FAIL"
    assert "requires signing" in found["directory sign-in"]["details"]
    assert "--directory-transport ldap" in found["directory sign-in"]["action"]


def test_kerberos_within_tls_signs_in_where_it_is_allowed(domain: Samba, tmp_path: Path) -> None:
    folder = tmp_path / "samba"
    folder.mkdir()
    script = f'sam.newuser("{READER}", "{PASSWORD}")'
    with samba(folder, certificates("directory"), strong_auth="allow_sasl_over_tls", script=script) as other:
        environment = other.kinit(READER, PASSWORD, cache=tmp_path / "tickets")
        options = ("--directory-transport", "starttls", "--ca", other.certificates.root, "--json")
        found = checks(check(other, tmp_path, plan_text(("Domain Admins", [])), *options, environment=environment))
        assert found["directory sign-in"]["details"] == "the ticket's account, by Kerberos over starttls"


def test_a_controller_that_does_not_answer_fails_and_beside_one_that_does_only_warns(
    domain: Samba, tmp_path: Path, ticket: dict[str, str]
) -> None:
    away = ("--directory-server", "nobody.corp.contoso.com", "--timeout", "20")
    done = check(domain, tmp_path, SOUND, *away, environment=ticket)
    assert done.returncode == 1
    assert "FAIL  directory controller  nobody.corp.contoso.com: DirectoryUnreachable" in done.stdout
    done = check(domain, tmp_path, SOUND, *away, "--directory-server", HOST, environment=ticket)
    assert done.returncode == 0, done.stdout
    assert "WARN  directory controller  nobody.corp.contoso.com" in done.stdout
    unknown = check(domain, tmp_path, plan_text(("Sound", []), domain="fabrikam.com"), environment=ticket)
    assert unknown.returncode == 1
    assert (
        "_ldap._tcp.dc._msdcs.fabrikam.com: DirectoryUnreachable: the DNS names no domain controller" in unknown.stdout
    )


def test_a_silent_key_distribution_centre_fails_within_the_time(domain: Samba, tmp_path: Path) -> None:
    """Kerberos itself would ask all of them again and again, for a minute."""
    keytab = domain.keytab(READER, tmp_path / "keytab")
    configuration = (domain.folder / "krb5.conf").read_text()
    centres = "".join(f" kdc = {ADDRESS}:{port}\n" for port in range(7788, 7796))
    (tmp_path / "krb5.conf").write_text(f"{configuration}[realms]\n{REALM} = {{\n{centres}}}\n")
    silent = (
        "import socket, time\n"
        "held = [socket.socket(type=socket.SOCK_DGRAM) for port in range(8)]\n"
        f"for index, each in enumerate(held): each.bind(('{ADDRESS}', 7788 + index))\n"
        "print('up'); time.sleep(600)"
    )
    with subprocess.Popen(domain.island.command(sys.executable, "-uc", silent), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        options = ("--directory-user", f"{READER}@{REALM}", "--directory-keytab", keytab, "--timeout", "10")
        environment = {"KRB5_CONFIG": str(tmp_path / "krb5.conf")}
        started = time.monotonic()
        done = check(domain, tmp_path, SOUND, *options, environment=environment)
        process.kill()
    assert f"FAIL  directory sign-in  {HOST}: no answer in time" in done.stdout
    assert time.monotonic() - started < 30


def test_options_that_do_not_go_together_are_wrong_use(domain: Samba, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    for options, word in (
        (("--directory-user", "a@b"), "--directory-password-file or --directory-keytab"),
        (("--directory-password-file", secret), "whose password"),
        (
            ("--directory-user", "a", "--directory-password-file", secret, "--directory-transport", "ldap"),
            "without TLS",
        ),
    ):
        done = check(domain, tmp_path, SOUND, *options)
        assert done.returncode == 2
        assert word in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
