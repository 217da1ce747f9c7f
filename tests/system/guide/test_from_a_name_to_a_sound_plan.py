"""The guide as one run: a plan, a check that fails for stated reasons, every remedy as printed, a check that passes."""

from pathlib import Path

import pytest

from tests.system.guide.contoso import DEPLOYMENT, Contoso, contoso
from tests.system.guide.hands import Hands
from tests.system.guide.site_systems import DOMAIN

PLAN = "causeway-plan.toml"
NEW = (
    *("--organisation=Contoso", "--service-name=gateway.contoso.com", "--clients=5000", "--region=westeurope"),
    *(f"--connection-point=cp01.{DOMAIN}", f"--connection-point=cp02.{DOMAIN}"),
    *(f"--management-point=mp01.{DOMAIN}", f"--software-update-point=sup01.{DOMAIN}"),
    *("--site-code=PS1", f"--site-host=cm01.{DOMAIN}"),
    *("--tenant-id=11111111-2222-3333-4444-555555555555", "--subscription-id=66666666-7777-8888-9999-000000000000"),
    *("--dns-hosting=azure-dns", "--dns-resource-group=rg-dns"),
    *("--authentication=certificate", "--authentication=entra", "--no-input"),
)
HOOK = """\
#!/bin/sh
set -e
name="${{2%.contoso.com}}"
case "$1" in
  present) pdnsutil --config-dir={folder} add-record contoso.com "$name" TXT 60 "\\"$3\\"" ;;
  clean-up) pdnsutil --config-dir={folder} delete-rrset contoso.com "$name" TXT ;;
esac
"""
FILES = ("--certificate", "certificate/current/server.pem", "--certificate", "certificate/current/server.key")
FAILS_AT_FIRST = {
    "azure providers",
    "directory group",
    "certificate server",
    "dns answer",
    "dns authoritative",
    "entra application",
    "names free",
    "management point client certificate",
    "update point answer",
}

LEFT_WITH_A_WARNING = {
    "certificate revocation": FILES[1],  # the public authority of this test names no list
    "network DNS": "contosogateway.vault.azure.net:443",  # nobody has made the gateway yet
}


def hands(there: Contoso) -> Hands:
    """An administrator who gives an address, and has the DNS record made that proves the name."""
    hook = there.folder / "hook"
    hook.write_text(HOOK.format(folder=there.dns.folder))
    hook.chmod(0o755)
    return Hands(
        there,
        {"<address for warnings>": "pki@contoso.com"},
        {"causeway cert acme": ("--dns-hook", str(hook)), "causeway azure apps create": ("--grant-consent",)},
    )


@pytest.mark.timeout(300)
def test_each_remedy_that_a_check_prints_mends_what_it_is_for_until_everything_passes(tmp_path: Path) -> None:
    with contoso(tmp_path) as there:
        made = there.causeway("plan", "new", *NEW)
        assert made.returncode == 0, made.stderr
        first = there.check()
        failed = [each for each in first if each["status"] == "FAIL"]
        assert {each["name"] for each in failed} == FAILS_AT_FIRST
        administrator = hands(there)
        rounds = 0
        while failed:
            rounds += 1
            assert rounds <= 3, failed
            for each in failed:
                administrator.carry_out(each["action"])
            result = there.check(*FILES)
            failed = [each for each in result if each["status"] == "FAIL"]
        print("\n".join(administrator.done))
        assert {each["name"]: each["target"] for each in result if each["status"] == "WARN"} == LEFT_WITH_A_WARNING
        (address,) = (each for each in result if each["name"] == "dns address")
        assert (address["target"], address["details"]) == (DEPLOYMENT, "20.1.2.3")
