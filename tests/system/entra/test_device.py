"""A device with nothing but an Entra token, through a gateway, from its registration to the end of its tenant."""

import json
from pathlib import Path

from tests.system.entra.provider import Provider
from tests.system.entra.test_site import table
from tests.system.processes import wait_until
from tests.system.up.running import ROLE_ID, causeway, up


def test_a_device_with_only_an_entra_token_registers_gets_policy_and_reports_until_its_tenant_is_disabled(
    provider: Provider, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(provider.token())
    with up(tmp_path / "home", "--devices", "1") as system:
        system.edit_site("\n" + table(provider))
        shown = ("--url", f"{system.service_url}/CCM_Proxy_ServerAuth/{ROLE_ID}", "--ca", system.authority)
        state = ("--state", tmp_path / "state")
        register = ("device", "register", *shown, *state, "--entra-token-command", f"cat {token}", "--json")
        wait_until(lambda: causeway(*register).returncode == 0, timeout=60, what="registration")
        registered = json.loads(causeway(*register).stdout)
        assert registered["approval"] == "entra"
        for command in ("policy", "heartbeat"):
            result = causeway("device", command, *shown, *state)
            assert result.returncode == 0, result.stderr
        text = system.site_config.read_text()
        # The first line goes with each edit, so there is one more for it.
        system.site_config.write_text(
            "# ours\n" + text.replace("[[entra_tenant]]", "[[entra_tenant]]\nenabled = false")
        )
        system.edit_site("")
        wait_until(
            lambda: "CMGService_TenantBlocked" in causeway("device", "heartbeat", *shown, *state).stderr,
            timeout=30,
            what="the device's site tokens end with its tenant",
        )
