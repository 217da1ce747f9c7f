import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.certificates import Pair
from tests.system.data_path.client import Answer, Client
from tests.system.processes import wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.places import Places
from tests.system.revocation.responder import Responder
from tests.system.up.running import ROLE_ID, RunningUp, causeway, up

TARGET = f"/CCM_Proxy_MutualAuth/{ROLE_ID}/SMS_MP/.sms_aut?MPLIST"


@dataclass
class Scene:
    """A whole system whose gateway trusts an authority of OpenSSL, too."""

    system: RunningUp
    places: Places
    root: OpenSslAuthority
    issuing: OpenSslAuthority
    doomed: OpenSslAuthority
    found: OpenSslAuthority
    asked: OpenSslAuthority
    responder: Responder

    def connect(self, pair: Pair) -> Client:
        return Client(self.system.port, self.system.authority, pair=pair)

    @staticmethod
    def ask(client: Client) -> Answer:
        return client.ask("GET", TARGET)

    def lets_in(self, pair: Pair) -> bool:
        """Whether a new connection gets an answer."""
        with contextlib.suppress(OSError), self.connect(pair) as client:
            return client.ask("GET", TARGET).status == 200
        return False

    def site(self, *arguments: str) -> str:
        done = causeway("site", *arguments, "--config", self.system.site_config)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refresh(self) -> None:
        self.site("revocation", "refresh")

    def taken(self, name: str) -> dict[str, object]:
        """How the list of that name stands."""
        shown = json.loads(self.site("revocation", "list", "--json"))
        return next((one for one in shown if str(one["source"]).endswith(name)), {"error": "never asked"})

    def wait_for_word(self, client: Client, word: str) -> Answer:
        """Ask on one connection until the answer is ``word`` (or, where it is empty, a good one)."""

        def look() -> Answer | None:
            answer = client.ask("GET", TARGET)
            return answer if (answer.status == 200 if not word else answer.reason == word) else None

        answer = wait_until(look, timeout=60, what=word or "a good answer")
        assert answer is not None
        return answer

    def log(self, part: str) -> str:
        return (self.system.home / "logs" / f"{part}.log").read_text()


def edit(system: RunningUp, *, trusted: list[Path], revocation: str = "") -> None:
    """Have the site trust these authorities, too, and look for revocation as told."""
    lines = system.site_config.read_text().splitlines()
    own = str(system.home / "authority" / "ca.crl")
    text = "\n".join(line for line in lines if not line.startswith(("# Kept in step", "[revocation]", "list_files")))
    roots = json.dumps([str(system.home / "site" / "authority.pem"), *map(str, trusted)])
    before, table, after = text.partition("[gateway]")
    kept = [line for line in after.splitlines() if not line.startswith("trusted_roots")]
    text = f"{before}{table}\ntrusted_roots = {roots}\n" + "\n".join(kept)
    text += f'\n[revocation]\nlist_files = ["{own}"]\n{revocation}\n'
    system.site_config.write_text(text)
    os.kill(system.pid_of("site"), signal.SIGHUP)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("revocation")
    with contextlib.ExitStack() as stack:
        places = Places(folder / "places")
        stack.callback(places.close)
        root = OpenSslAuthority(
            folder / "root", "OpenSSL root", points=f"crlDistributionPoints = URI:{places.url}/root.crl"
        )
        issuing, doomed, found = (
            OpenSslAuthority(
                folder / name,
                f"OpenSSL {name}",
                points=f"crlDistributionPoints = URI:{places.url}/{name}.crl",
                above=root,
            )
            for name in ("issuing", "doomed", "found")
        )
        port = Responder.free_port()
        asked = OpenSslAuthority(
            folder / "asked",
            "OpenSSL asked",
            points=f"authorityInfoAccess = OCSP;URI:http://127.0.0.1:{port}",
            above=root,
        )
        responder = Responder(asked, port)
        stack.callback(responder.stop)
        for authority, name in ((root, "root"), (issuing, "issuing"), (doomed, "doomed"), (found, "found")):
            authority.publish(places.folder / f"{name}.crl")
        system = stack.enter_context(up(folder / "home"))
        edit(
            system,
            trusted=[one.certificate for one in (root, issuing, doomed, found, asked)],
            revocation=f'list_urls = ["{places.url}/issuing.crl", "{places.url}/doomed.crl"]\n'
            "refresh_s = 1\nocsp_keep_s = 2\n",
        )
        scene = Scene(system, places, root, issuing, doomed, found, asked, responder)
        wait_until(lambda: scene.lets_in(issuing.client("first")), timeout=60)
        yield scene
