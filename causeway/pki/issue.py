"""Carries a recipe out where that needs nobody else: at the own authority, or at a public one by ACME."""

import datetime as dt
from collections.abc import Callable

from acme import client, errors

from causeway.errors import OperatorError
from causeway.files import read_state
from causeway.pki.acme.account import ExternalAccount, open_account
from causeway.pki.acme.challenge import Hook, Lexicon, Manual, Responder
from causeway.pki.acme.order import obtain
from causeway.pki.authority import Authority
from causeway.pki.bundle import parse_bundle
from causeway.pki.chain import Chain, build_chain
from causeway.pki.export import pem_chain
from causeway.pki.keys import CertificateKey
from causeway.pki.recipe import DnsMethod, Recipe, Source
from causeway.pki.requests import new_request

Report = Callable[[str], None]
_RENEW_BEFORE = dt.timedelta(days=30)
_SHARE = 3


def issue(recipe: Recipe, key: CertificateKey, *, ask: Report, report: Report) -> Chain:
    """The chain of a new certificate for ``key``.

    Args:
        recipe: whose source is not ``request``: that one needs a person.
        key: the certificate's.
        ask: shows a text to a person and returns when it is done (manual DNS).
        report: takes a line about what goes on.

    Raises:
        OperatorError: the recipe lacks something.
        AuthorityError: the authority refused.
    """
    if recipe.source is Source.AUTHORITY:
        if recipe.authority is None:
            raise OperatorError("the recipe names no authority; give its folder with --authority")
        authority = Authority.open(recipe.authority)
        pem = authority.sign_server_request(new_request(recipe.names, key), list(recipe.names.all_names))
        certificates = parse_bundle(pem, str(recipe.authority)).certificates
    else:
        certificates = obtain(
            account(recipe),
            new_request(recipe.names, key),
            _responder(recipe, ask),
            directory=recipe.acme.directory,
            servers=recipe.acme.servers,
            propagation_s=recipe.acme.propagation_s,
            report=report,
        )
    return build_chain(certificates[0], certificates[1:])


def account(recipe: Recipe) -> client.ClientV2:
    """The account of the recipe's order.

    Raises:
        OperatorError: the recipe lacks something.
        AuthorityError: the authority refused, or was not to be reached.
    """
    acme = recipe.acme
    external = None
    if acme.external_account is not None:
        if acme.external_account_key_file is None:
            raise OperatorError("an external account needs its key: give --eab-mac-key-file")
        key = read_state(acme.external_account_key_file, "the external account's key").decode("ascii", "replace")
        external = ExternalAccount(acme.external_account, key.strip())
    return open_account(
        acme.account_key,
        directory=acme.directory,
        email=acme.email,
        agree=acme.agree,
        external=external,
        ca_file=acme.ca_file,
    )


def due(recipe: Recipe, serving: Chain, *, now: dt.datetime) -> tuple[bool, str]:
    """Whether it is time to renew, and why (not).

    An authority that says when (RFC 9773) is believed; else it is when a third of the certificate's life is left, or
    30 days where that is less.

    Raises:
        AuthorityError: the authority was not to be reached.
    """
    leaf = serving.leaf
    end = leaf.not_valid_after_utc
    moment = end - min(_RENEW_BEFORE, (end - leaf.not_valid_before_utc) / _SHARE)
    says = "renewal is due"
    if recipe.source is Source.ACME and now < end:
        try:
            suggested, _ = account(recipe).renewal_time(pem_chain([leaf]))
        except errors.ARIError:
            suggested = None
        if suggested is not None:
            moment, says = suggested, "the authority suggests renewal"
    return now >= moment, f"valid to {end:%Y-%m-%d}; {says} from {moment:%Y-%m-%d %H:%M} UTC"


def _responder(recipe: Recipe, ask: Report) -> Responder:
    match recipe.acme.dns:
        case DnsMethod.HOOK:
            if not recipe.acme.hook:
                raise OperatorError("the method hook needs a command: give --dns-hook")
            return Hook(recipe.acme.hook)
        case DnsMethod.LEXICON:
            if not recipe.acme.provider:
                raise OperatorError("the method lexicon needs a DNS service: give --dns-provider")
            return Lexicon(recipe.acme.provider, recipe.acme.zone)
        case DnsMethod.MANUAL:
            return Manual(ask)
