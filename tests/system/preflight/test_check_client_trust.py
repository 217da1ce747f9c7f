"""``causeway check`` on the authorities and a client of OpenSSL's, which the plan names, or ``--client-trust``."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.system.plan.running import CAUSEWAY, environment
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.unit.plan.plans import CONTOSO


def checked(folder: Path, *arguments: str | Path, named: tuple[str, ...] = ()) -> dict[str, Any]:
    """The results about client certificates, by their target; ``named`` is what the plan names."""
    (folder / "plan.toml").write_text(
        CONTOSO.replace("[clients]\n", f"[clients]\ncertificate_authorities = {json.dumps(named)}\n")
    )
    command = [*CAUSEWAY, "check", "--plan", folder / "plan.toml", "--only", "certificate", "--json", *arguments]
    done = subprocess.run(
        command, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return {each["target"]: each["status"] for each in json.loads(done.stdout)["checks"] if "client" in each["name"]}


def test_an_intermediate_that_is_missing_is_found_and_once_named_the_client_is_verified(tmp_path: Path) -> None:
    root = OpenSslAuthority(tmp_path / "root", "Contoso Root")
    issuing = OpenSslAuthority(tmp_path / "issuing", "Contoso Issuing CA", above=root)
    sample = issuing.client("pc1.corp.contoso.com").certificate
    named = ("--client-sample", sample, "--client-trust", root.certificate)
    assert checked(tmp_path, *named) == {"CN=Contoso Root": "PASS", str(sample): "FAIL"}
    assert checked(tmp_path, *named, "--client-trust", issuing.certificate) == {
        "CN=Contoso Root": "PASS",
        "CN=Contoso Issuing CA": "PASS",
        str(sample): "PASS",
    }


def test_the_plan_names_the_authorities_from_where_it_is_and_the_option_takes_their_place(tmp_path: Path) -> None:
    root = OpenSslAuthority(tmp_path / "root", "Contoso Root")
    issuing = OpenSslAuthority(tmp_path / "issuing", "Contoso Issuing CA", above=root)
    sample = issuing.client("pc1.corp.contoso.com").certificate
    names = tuple(str(each.certificate.relative_to(tmp_path)) for each in (root, issuing))
    assert checked(tmp_path) == {"clients.certificate_authorities": "SKIP"}
    both = {"CN=Contoso Root": "PASS", "CN=Contoso Issuing CA": "PASS"}
    assert checked(tmp_path, named=names) == both
    assert checked(tmp_path, "--client-sample", sample, named=names) == {**both, str(sample): "PASS"}
    other = OpenSslAuthority(tmp_path / "other", "Fabrikam Root")
    replaced = ("--client-sample", sample, "--client-trust", other.certificate)
    assert checked(tmp_path, *replaced, named=names) == {"CN=Fabrikam Root": "PASS", str(sample): "FAIL"}
    assert checked(tmp_path, named=("absent.pem",)) == {str(tmp_path / "absent.pem"): "FAIL"}
