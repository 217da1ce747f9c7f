"""Devices that come with a token: to the site itself, as a connection point would bring them."""

import json
from datetime import UTC, datetime
from typing import Any

import requests

from causeway.messaging.tokens import MEDIA_TYPE, TokenKind, TokenRequest, TokenResponse, parse_token_response
from tests.system.site.running import RunningSite
from tests.system.site.third_party import Client

BOTH = (TokenKind.CCM, TokenKind.SELF_PROVE)


def new_bulk_token(site: RunningSite, *options: str) -> tuple[str, str]:
    """The id and the text of a new bulk registration token."""
    made = json.loads(site.causeway("token", "new", *options, "--json").stdout)
    return made["id"], made["token"]


def bearer(site: RunningSite, token: str, **options: Any) -> Client:
    """A client of the directories that want a token."""
    client = Client(
        site.url,
        site.paths.authority,
        system="/ccm_system_tokenauth/request",
        policies="/SMS_MP_TokenAuth/.sms_pol",
        **options,
    )
    show(client, token)
    return client


def show(client: Client, token: str) -> None:
    """Have the client come with that token from now on."""
    client.session.headers["Authorization"] = f"Bearer {token}"


def proof(client: Client, **changes: Any) -> str:
    """A request for both tokens, signed with the client's key."""
    wanted = {"client_id": client.smsid, "site_code": "PS1", "kinds": BOTH, "timestamp": datetime.now(UTC), **changes}
    return TokenRequest(**wanted).to_xml(client.key)


def send(client: Client, body: bytes | str, content_type: str | None = MEDIA_TYPE) -> requests.Response:
    """Bring a body to the token service."""
    data = body.encode() if isinstance(body, str) else body
    headers = {} if content_type is None else {"Content-Type": content_type}
    return client.session.post(f"{client.url}/CCM_STS", data=data, headers=headers, timeout=30)


def exchange(client: Client) -> TokenResponse:
    """Both site tokens, for the proof of the registered key."""
    response = send(client, proof(client))
    assert response.status_code == 200, response.reason
    return parse_token_response(response.text)


def registered(site: RunningSite, bulk: str, **options: Any) -> Client:
    """A new device that has registered with a bulk token, and shows the token for daily use from then on."""
    client = bearer(site, bulk, **options)
    assert client.register().get("Status") == "0"
    show(client, next(one.text for one in exchange(client).tokens if one.kind is TokenKind.CCM))
    return client
