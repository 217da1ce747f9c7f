"""``causeway device``: a reference client for this machine."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import OK, PROBLEMS, print_json, print_table, stdout
from causeway.device.client import DeviceClient
from causeway.device.config import DEFAULT_TOKEN_HEADER, DeviceConfig, default_state_folder
from causeway.device.entra import EntraTokenSource
from causeway.device.schedule import run_until_stopped
from causeway.device.state import StateFolder
from causeway.errors import OperatorError
from causeway.observability.logging import configure

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A reference client: registers this machine, gets policy, reports.",
    epilog=pointer("set-up.md#6-a-device"),
)

_Result = TypeVar("_Result")
_MAX_TOKEN = 32 * 1024

Url = Annotated[
    str,
    typer.Option(
        envvar="CAUSEWAY_DEVICE_URL",
        help="https://gateway/CCM_Proxy_MutualAuth/<id> (with a certificate), /CCM_Proxy_ServerAuth/<id>, or the "
        "management point itself.",
    ),
]
Ca = Annotated[
    Path | None,
    typer.Option(envvar="CAUSEWAY_DEVICE_CA", help="PEM file of the authorities to trust; the system's without it."),
]
Certificate = Annotated[
    Path | None, typer.Option(envvar="CAUSEWAY_DEVICE_CERTIFICATE", help="PEM file of a PKI client certificate.")
]
Key = Annotated[Path | None, typer.Option(envvar="CAUSEWAY_DEVICE_KEY", help="PEM file of that certificate's key.")]
Proxy = Annotated[str | None, typer.Option(envvar="CAUSEWAY_DEVICE_PROXY", help="URL of a web proxy on the way.")]
State = Annotated[
    Path,
    typer.Option(
        envvar="CAUSEWAY_DEVICE_STATE",
        default_factory=default_state_folder,
        help="Folder for the device's keys, identity and policies.",
    ),
]
BulkTokenFile = Annotated[
    str | None,
    typer.Option(
        help="File with a bulk registration token, or - for standard input; or CAUSEWAY_DEVICE_BULK_TOKEN holds it.",
    ),
]
EntraTokenFile = Annotated[
    Path | None,
    typer.Option(
        envvar="CAUSEWAY_DEVICE_ENTRA_TOKEN_FILE",
        help="File in which a broker keeps this machine's Entra token; read anew each time.",
    ),
]
EntraTokenCommand = Annotated[
    str | None,
    typer.Option(
        envvar="CAUSEWAY_DEVICE_ENTRA_TOKEN_COMMAND",
        help="Command that prints this machine's Entra token, such as a broker's; run without a shell.",
    ),
]
TokenHeader = Annotated[
    str,
    typer.Option(envvar="CAUSEWAY_DEVICE_TOKEN_HEADER", help="The header for a token, and the word before it."),
]


@app.command(
    epilog=examples(
        "causeway device register --url https://gateway.contoso.com/CCM_Proxy_ServerAuth/72057594037927941 "
        "--bulk-token-file token"
    )
)
def register(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    bulk_token_file: BulkTokenFile = None,
    entra_token_file: EntraTokenFile = None,
    entra_token_command: EntraTokenCommand = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for an approval.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Register this machine. Exit code 1 while its approval is pending."""
    config = DeviceConfig(
        url,
        state,
        ca,
        certificate,
        key,
        proxy=proxy,
        bulk_token=_bulk_token(bulk_token_file),
        token_header=token_header,
        entra_token=_entra_token(entra_token_file, entra_token_command),
    )
    known = _run(config, lambda client: client.register(wait_s=wait))
    if as_json:
        print_json({"identity": known.identity, "registered": known.registered, "approval": known.approval})
    elif known.registered:
        stdout.print(f"Registered as {known.identity}.")
    else:
        stdout.print(f"{known.identity} waits for approval at the site.")
    raise typer.Exit(OK if known.registered else PROBLEMS)


@app.command(
    epilog=examples("causeway device policy --url https://gateway.contoso.com/CCM_Proxy_ServerAuth/72057594037927941")
)
def policy(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    full: Annotated[bool, typer.Option("--full", help="Ask for everything, not for what changed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Get this machine's policies."""

    async def get(client: DeviceClient) -> tuple[Any, Any]:
        return await client.policy(full=full), client.state

    config = DeviceConfig(url, state, ca, certificate, key, proxy=proxy, token_header=token_header)
    change, known = _run(config, get)
    if as_json:
        print_json(
            {
                "reply": change.reply_type,
                "received": change.received,
                "removed": change.removed,
                "policies": [{"id": p.policy_id, "version": p.version, "category": p.category} for p in known.policies],
            }
        )
        return
    stdout.print(f"{change.reply_type} reply: {change.received} received, {change.removed} removed.")
    rows = [(p.policy_id, p.version, p.category) for p in known.policies]
    print_table(("policy", "version", "category"), rows, none="No policies.")


@app.command(
    epilog=examples(
        "causeway device heartbeat --url https://gateway.contoso.com/CCM_Proxy_ServerAuth/72057594037927941"
    )
)
def heartbeat(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    as_json: JsonOption = False,
) -> None:
    """Tell the site that this machine is there."""

    async def send(client: DeviceClient) -> str:
        await client.heartbeat()
        return client.state.identity

    config = DeviceConfig(url, state, ca, certificate, key, proxy=proxy, token_header=token_header)
    identity = _run(config, send)
    _done({"identity": identity, "sent": True}, f"Heartbeat of {identity} sent.", as_json=as_json)


@app.command(
    epilog=examples(
        "causeway device inventory --url https://gateway.contoso.com/CCM_Proxy_ServerAuth/72057594037927941"
    )
)
def inventory(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    as_json: JsonOption = False,
) -> None:
    """Tell the site this machine's hardware and installed software."""
    config = DeviceConfig(url, state, ca, certificate, key, proxy=proxy, token_header=token_header)
    report = _run(config, lambda client: client.inventory())
    classes = {name: len(instances) for name, instances in report.by_class().items()}
    told = f"Inventory sent: {len(report.instances)} instances of {len(classes)} classes."
    _done({"identity": report.client_id, "sent": True, "classes": classes}, told, as_json=as_json)


@app.command(epilog=examples("causeway device token --url https://mp01.corp.contoso.com"))
def token(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    entra_token_file: EntraTokenFile = None,
    entra_token_command: EntraTokenCommand = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    as_json: JsonOption = False,
) -> None:
    """Get the tokens by which this machine can be managed outside without a certificate.

    A device that shows tokens renews them by itself; one on the internal network gets its first ones so.
    """
    config = DeviceConfig(
        url,
        state,
        ca,
        certificate,
        key,
        proxy=proxy,
        token_header=token_header,
        entra_token=_entra_token(entra_token_file, entra_token_command),
    )
    kept = _run(config, lambda client: client.renew_tokens())
    until = None if kept.self_prove is None else kept.self_prove.expires
    _done({"identity": kept.identity, "until": until}, f"{kept.identity} may be away until {until}.", as_json=as_json)


@app.command(epilog=examples("causeway device show --json"))
def show(state: State, as_json: JsonOption = False) -> None:
    """Show what this machine knows of itself as a device, without asking anybody."""
    # Without taking the folder: the file is always whole, and a device that runs keeps the folder for itself.
    known = StateFolder(state).load()
    settings = known.client_settings()
    facts = {
        "identity": known.identity,
        "registered": known.registered,
        "approval": known.approval,
        "site_code": known.site_code,
        "policies": len(known.policies),
        "policy_at": known.policy_at,
        "heartbeat_at": known.heartbeat_at,
        "inventory_at": known.inventory_at,
        "polling_interval_minutes": settings.polling_interval_minutes,
        "heartbeat_interval_minutes": settings.heartbeat_interval_minutes,
        "inventory_interval_minutes": settings.inventory_interval_minutes,
    }
    if as_json:
        print_json(facts)
    else:
        rows = [(name, "" if value is None else str(value)) for name, value in facts.items()]
        print_table(("what", "value"), rows, none="")


@app.command(
    epilog=examples("causeway device run --url https://gateway.contoso.com/CCM_Proxy_ServerAuth/72057594037927941")
)
def run(
    url: Url,
    state: State,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    proxy: Proxy = None,
    bulk_token_file: BulkTokenFile = None,
    entra_token_file: EntraTokenFile = None,
    entra_token_command: EntraTokenCommand = None,
    token_header: TokenHeader = DEFAULT_TOKEN_HEADER,
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object a line.")] = False,
) -> None:
    """Register, get policy and report at the intervals that the policy says, until SIGTERM or Ctrl-C."""
    configure("device", form="json" if as_json else "auto")
    config = DeviceConfig(
        url,
        state,
        ca,
        certificate,
        key,
        proxy=proxy,
        bulk_token=_bulk_token(bulk_token_file),
        token_header=token_header,
        entra_token=_entra_token(entra_token_file, entra_token_command),
    )
    _run(config, run_until_stopped)


def _entra_token(file: Path | None, command: str | None) -> EntraTokenSource | None:
    """Where the Entra token comes from. It never is an argument, as a bulk registration token is none."""
    return None if file is None and command is None else EntraTokenSource(file, command)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(_MAX_TOKEN)


def _bulk_token(file: str | None) -> str | None:
    """The bulk registration token. It never is an argument: those are for all users of a machine to see."""
    if file is None:
        return os.environ.get("CAUSEWAY_DEVICE_BULK_TOKEN", "").strip() or None
    try:
        # A token has some hundred characters; more than a few thousand is another file.
        text = sys.stdin.read(_MAX_TOKEN) if file == "-" else _read(Path(file))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise OperatorError(f"{file}: the bulk registration token cannot be read: {why}; expected its file") from None
    if not text.strip():
        raise OperatorError(f"{'standard input' if file == '-' else file}: empty; expected a bulk registration token")
    return text.strip()


def _run(config: DeviceConfig, work: Callable[[DeviceClient], Awaitable[_Result]]) -> _Result:
    async def entered() -> _Result:
        async with DeviceClient(config) as client:
            return await work(client)

    return asyncio.run(entered())


def _done(value: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        stdout.print(sentence)
