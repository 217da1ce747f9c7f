"""The token service of a running site, and what it does with what no device should send."""

import dataclasses
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import requests

from causeway.identity.jwt import read_token
from causeway.messaging.tokens import MEDIA_TYPE, TokenKind
from tests.system.site import by_token
from tests.system.site.running import RunningSite
from tests.system.site.third_party import Client

MIB = 1024 * 1024
HOUR = timedelta(hours=1)
GUID = "GUID:11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def bulk(shared_site: RunningSite) -> str:
    return by_token.new_bulk_token(shared_site)[1]


@pytest.fixture(scope="module")
def device(shared_site: RunningSite, bulk: str) -> Iterator[Client]:
    client = by_token.registered(shared_site, bulk, name="PC1")
    yield client
    client.close()


@pytest.fixture(scope="module")
def other(shared_site: RunningSite, bulk: str) -> Iterator[Client]:
    client = by_token.registered(shared_site, bulk, name="PC2")
    yield client
    client.close()


@pytest.fixture(autouse=True)
def still_well(shared_site: RunningSite, device: Client) -> Iterator[None]:
    """Whatever a test sent, a good device gets its tokens afterwards, and nobody sees a traceback."""
    yield
    by_token.exchange(device)
    assert "Traceback" not in shared_site.log.read_text()


Send = Callable[[Client, Client], requests.Response]


def replayed(device: Client, _other: Client) -> requests.Response:
    body = by_token.proof(device)
    assert by_token.send(device, body).status_code == 200
    return by_token.send(device, body)


def of_another_key(device: Client, other: Client) -> requests.Response:
    return by_token.send(other, by_token.proof(dataclasses.replace(device, key=other.key)))


def with_another_token(device: Client, other: Client) -> requests.Response:
    return by_token.send(other, by_token.proof(device))


def changed(device: Client, _other: Client) -> requests.Response:
    return by_token.send(device, by_token.proof(device).replace('SiteCode="PS1"', 'SiteCode="PS2"'))


def asks(**changes: object) -> Send:
    return lambda device, _other: by_token.send(device, by_token.proof(device, **changes))


def body(text: bytes | str, content_type: str | None = MEDIA_TYPE) -> Send:
    return lambda device, _other: by_token.send(device, text, content_type)


def registration(device: Client, _other: Client) -> requests.Response:
    text = device.registration().replace("ClientRegistrationRequest", "TokenRequest")
    return by_token.send(device, text)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><TokenRequest><Data a="&a;"/></TokenRequest>'
BAD: dict[str, tuple[Send, int, str]] = {
    "replayed": (replayed, 401, "STS_ProofReplayed"),
    "stale": (asks(timestamp=datetime.now(UTC) - HOUR), 401, "STS_ProofExpired"),
    "of the future": (asks(timestamp=datetime.now(UTC) + HOUR), 401, "STS_ProofExpired"),
    "for another site": (asks(site_code="PS2"), 401, "STS_ProofWrong"),
    "changed on the way": (changed, 401, "STS_ProofWrong"),
    "another device's key": (of_another_key, 401, "STS_ProofWrong"),
    "another device's token": (with_another_token, 403, "MP_IdentityMismatch"),
    "of nobody": (asks(client_id=GUID), 403, "MP_DeviceUnknown"),
    "signed as a registration": (registration, 400, "Messaging_BadField"),
    "a short nonce": (asks(nonce="1234"), 400, "Messaging_BadField"),
    "no kind of token": (asks(kinds=()), 400, "Messaging_BadSignature"),
    "an unknown kind": (asks(kinds=("Golden",)), 400, "Messaging_BadField"),
    "entities": (body(BOMB), 400, "Messaging_BadXml"),
    "nothing": (body(b""), 400, "Messaging_BadXml"),
    "random bytes": (body(random.Random(1).randbytes(4096)), 400, "Messaging_BadXml"),
    "more characters": (body("<TokenRequest>" + " " * 20_000 + "</TokenRequest>"), 413, "Messaging_TooLarge"),
    "more bytes": (body(bytes(10 * MIB)), 413, "Messaging_TooLarge"),
    "another type": (body("{}", "application/json"), 415, "STS_MediaTypeWrong"),
    "no type": (body("<TokenRequest/>", None), 415, "STS_MediaTypeWrong"),
    "another method": (lambda device, _other: device.get("/CCM_STS"), 405, "Site_MethodNotAllowed"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_proof_now_of_this_device_is_refused_with_its_word(
    shared_site: RunningSite, device: Client, other: Client, name: str
) -> None:
    send, status, word = BAD[name]
    counted = shared_site.metric("causeway_site_refusals_total", word=word)
    answer = send(device, other)
    assert (answer.status_code, answer.reason) == (status, word)
    assert shared_site.metric("causeway_site_refusals_total", word=word) == counted + 1
    request_id = answer.headers["X-Request-Id"]
    (line,) = [one for one in shared_site.refusals() if one["request_id"] == request_id]
    assert line["word"] == word


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "e" * 7000, "eyJhbGciOiJub25lIn0.e30."])
def test_a_token_that_comes_along_has_to_hold_though_the_proof_is_good(device: Client, token: str) -> None:
    answer = device.session.post(
        f"{device.url}/CCM_STS",
        data=by_token.proof(device),
        headers={"Content-Type": MEDIA_TYPE, "Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert (answer.status_code, answer.reason) == (401, "MP_SiteTokenWrong")


def test_proofs_changed_at_random_give_no_token_and_do_no_harm(shared_site: RunningSite, device: Client) -> None:
    assert shared_site.process is not None
    process = psutil.Process(shared_site.process.pid)
    before, chance = process.memory_info().rss, random.Random(2026)
    given = shared_site.metric("causeway_site_tokens_issued_total", kind="CCM")
    for number in range(200):
        sent = bytearray(by_token.proof(device).encode("utf-16" if number % 5 == 0 else "utf-8"))
        end = len(sent) - 20  # what stands behind the signature could go without being missed
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(4, end)
            match chance.randrange(3):
                case 0:
                    sent[position] ^= chance.randrange(1, 256)
                case 1:
                    del sent[position : position + chance.randint(1, 40)]
                    end = min(end, len(sent) - 20)
                case _:
                    sent[position:position] = chance.randbytes(chance.randint(1, 40))
        answer = by_token.send(device, bytes(sent))
        assert answer.status_code in {400, 401, 403, 413}, (number, bytes(sent))
    assert shared_site.metric("causeway_site_tokens_issued_total", kind="CCM") == given
    assert process.memory_info().rss - before < 50 * MIB


def test_without_a_token_the_directories_for_tokens_say_so(shared_site: RunningSite, device: Client) -> None:
    client = by_token.bearer(shared_site, "")
    del client.session.headers["Authorization"]
    client.smsid = device.smsid
    for answer in (
        client.send("MP_PolicyManager", client.assignments_request()),
        client.send("MP_ClientRegistration", client.registration(), signed=False),
        client.policy("x", headers={}),
    ):
        assert (answer.status_code, answer.reason) == (401, "MP_SiteTokenMissing")
    client.close()


def test_a_newcomer_is_told_what_a_bulk_token_does_not_open(shared_site: RunningSite, bulk: str) -> None:
    client = by_token.bearer(shared_site, bulk)
    assert client.register().get("Status") == "0"
    answer = client.send("MP_PolicyManager", client.assignments_request())
    assert (answer.status_code, answer.reason) == (403, "MP_SiteTokenNotForThis")
    tokens = {one.kind: one.text for one in by_token.exchange(client).tokens}
    by_token.show(client, tokens[TokenKind.SELF_PROVE])
    answer = client.send("MP_PolicyManager", client.assignments_request())
    assert (answer.status_code, answer.reason) == (403, "MP_SiteTokenNotForThis")
    by_token.show(client, tokens[TokenKind.CCM])
    assert client.assignments().tag == "ReplyAssignments"
    assert read_token(tokens[TokenKind.CCM].encode()).claims["SMSID"] == client.smsid
    client.close()
