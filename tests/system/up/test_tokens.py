"""A device that has nothing but a bulk registration token, all the way through the gateway."""

import json
import ssl
import time
from pathlib import Path

import httpx

from tests.system.up.running import ROLE_ID, causeway, up


def test_a_device_with_only_a_bulk_token_is_managed_until_it_is_blocked(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--devices", "0") as system:
        site = ["--config", str(system.site_config)]
        bulk, state = tmp_path / "bulk", tmp_path / "device"
        device = ["--url", f"{system.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}", "--ca", str(system.authority)]

        def done(*arguments: str | Path) -> str:
            result = causeway(*arguments)
            assert result.returncode == 0, result.stderr
            return result.stdout

        done("token", "new", *site, "--max-uses", "1", "--file", bulk)
        known = json.loads(done("device", "register", *device, "--state", state, "--bulk-token-file", bulk, "--json"))
        done("device", "policy", *device, "--state", state)
        done("device", "heartbeat", *device, "--state", state)

        other = causeway("device", "register", *device, "--state", tmp_path / "other", "--bulk-token-file", bulk)
        assert "MP_BulkTokenUsedUp" in other.stderr
        assert json.loads(done("token", "list", *site, "--json"))[0]["uses"] == 1

        done("token", "keys", "rotate", *site, "--lead", "0")
        done("device", "token", *device, "--state", state)
        done("device", "heartbeat", *device, "--state", state)

        token = json.loads((state / "tokens.json").read_text())["ccm"]["text"]
        url = f"{system.service_url}/CCM_Proxy_ServerAuth/{ROLE_ID}/SMS_MP_TokenAuth/.sms_aut?MPLIST"
        trust = ssl.create_default_context(cafile=system.authority)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(verify=trust, trust_env=False, headers=headers, timeout=30) as client:
            assert client.get(url).status_code == 200
            done("site", "devices", "block", known["identity"], *site)
            began = time.monotonic()
            system.wait_for(
                "the gateway does not refuse it",
                lambda: client.get(url).reason_phrase == "CMGService_DeviceBlocked",
            )
            print(f"refused at the gateway {time.monotonic() - began:.2f} s after the block")
        refused = causeway("device", "heartbeat", *device, "--state", state)
        assert "CMGService_DeviceBlocked" in refused.stderr
