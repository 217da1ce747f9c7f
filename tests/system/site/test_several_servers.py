"""Several servers of one site on one PostgreSQL: a token of one is good at the other; what ends at one ends at all."""

import dataclasses
import json
import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from causeway.messaging.tokens import TokenKind
from tests.system import postgresql
from tests.system.processes import free_ports, wait_until
from tests.system.site import by_token
from tests.system.site.running import RunningSite, lay_out, running
from tests.system.site.third_party import Client

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def servers(
    cluster: postgresql.PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningSite, RunningSite]]:
    folder = tmp_path_factory.mktemp("servers")
    database = {"url": cluster.new_database(), "password_file": str(cluster.password_file)}
    first = lay_out(folder / "one", database)
    shutil.copytree(folder / "one" / "site", folder / "two")
    paths = type(first.paths).within(folder / "two")
    second = dataclasses.replace(first, paths=paths, port=free_ports(), admin_port=free_ports(), process=None)
    second.configure("server", port=second.port)
    second.configure("admin", port=second.admin_port)
    with running(first), running(second):
        yield first, second


Servers = tuple[RunningSite, RunningSite]


def test_a_token_of_one_server_is_good_at_the_other_and_a_proof_is_used_up_at_both(servers: Servers) -> None:
    one, two = servers
    _, bulk = by_token.new_bulk_token(one)
    client = by_token.registered(one, bulk)
    client.url = two.url
    assert client.assignments().tag == "ReplyAssignments"
    proof = by_token.proof(client)
    assert by_token.send(client, proof).status_code == 200
    client.url = one.url
    assert by_token.send(client, proof).reason == "STS_ProofReplayed"
    client.close()


def test_no_more_devices_get_in_than_a_token_is_for_however_they_come_at_both_at_once(servers: Servers) -> None:
    token_id, bulk = by_token.new_bulk_token(servers[0], "--max-uses", "3")
    clients = [by_token.bearer(servers[number % 2], bulk, name=f"PC{number}") for number in range(8)]
    start = threading.Barrier(len(clients))
    answers: list[requests.Response] = []

    def come(client: Client) -> None:
        start.wait()
        answers.append(client.send("MP_ClientRegistration", client.registration(), signed=False))

    threads = [threading.Thread(target=come, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    outcomes = sorted((one.status_code, one.reason) for one in answers)
    assert outcomes == [(200, "OK")] * 3 + [(403, "MP_BulkTokenUsedUp")] * 5
    shown = json.loads(servers[1].causeway("token", "show", token_id, "--json").stdout)
    assert (shown["uses"], len(shown["devices"])) == (3, 3)
    for client in clients:
        client.close()


def seconds_until(client: Client, reason: str) -> float:
    """How long until the client's next policy request ends so; a message that is not accepted has an empty answer."""
    began = time.monotonic()

    def refused() -> bool:
        answer = client.policy("x", headers={})
        return answer.reason == reason

    wait_until(refused)
    return time.monotonic() - began


def test_who_is_blocked_at_one_server_is_refused_by_the_other_within_seconds(servers: Servers) -> None:
    one, two = servers
    token_id, bulk = by_token.new_bulk_token(one)
    device = by_token.registered(one, bulk)
    device.url = two.url
    assert device.policy("x", headers={}).reason not in {"MP_DeviceBlocked", "MP_SiteTokenWrong"}

    one.cli("devices", "block", device.smsid)
    assert seconds_until(device, "MP_DeviceBlocked") < WITHIN_S
    assert by_token.send(device, by_token.proof(device)).reason == "MP_DeviceBlocked"

    one.causeway("token", "block", token_id)
    late = by_token.bearer(two, bulk)
    # Looked at in the database with every registration, so there is nothing to wait for.
    answer = late.send("MP_ClientRegistration", late.registration(), signed=False)
    assert answer.reason in {"MP_BulkTokenBlocked", "MP_DeviceBlocked"}
    device.close()
    late.close()


def test_a_key_that_is_withdrawn_at_one_server_ends_its_tokens_at_the_other(servers: Servers) -> None:
    one, two = servers
    _, bulk = by_token.new_bulk_token(one)
    device = by_token.registered(one, bulk)
    device.url = two.url
    keys = json.loads(one.causeway("token", "keys", "list", "--json").stdout)
    (signing,) = [key["id"] for key in keys if key["state"] == "signs"]
    one.causeway("token", "keys", "withdraw", signing, "--reason", "copied")
    assert seconds_until(device, "MP_SiteTokenWrong") < WITHIN_S
    # Both go on with one new key.
    _, bulk = by_token.new_bulk_token(one)
    by_token.show(device, bulk)
    wait_until(lambda: device.send("MP_ClientRegistration", device.registration(), signed=False).status_code == 200)
    tokens = {given.kind: given.text for given in by_token.exchange(device).tokens}
    device.url = one.url
    by_token.show(device, tokens[TokenKind.CCM])
    # A key that takes over at once is known to the other server within a second, as to a gateway.
    assert seconds_until(device, "MP_PolicyUnknown") < WITHIN_S
    assert device.assignments().tag == "ReplyAssignments"
    device.close()
