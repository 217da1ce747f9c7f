"""Contoso's plan, which most tests start from."""

import dataclasses
from pathlib import Path
from typing import Any

from causeway.plan.document import Plan, parse_plan

CONTOSO = """
version = 1
organisation = "Contoso"
[azure]
tenant_id = "11111111-2222-3333-4444-555555555555"
subscription_id = "66666666-7777-8888-9999-000000000000"
region = "westeurope"
resource_group = "rg-contosogateway"
[names]
prefix = "contosogateway"
service_name = "gateway.contoso.com"
[dns]
hosting = "azure-dns"
resource_group = "rg-contoso-dns"
[clients]
expected = 5000
authentication = ["certificate", "token"]
[site]
code = "PS1"
host = "cm01.corp.contoso.com"
[[connection_point]]
host = "cp01.corp.contoso.com"
[[connection_point]]
host = "cp02.corp.contoso.com"
[[management_point]]
host = "mp01.corp.contoso.com"
[[software_update_point]]
host = "sup01.corp.contoso.com"
[service_connection_point]
host = "cm01.corp.contoso.com"
[directory]
domain = "corp.contoso.com"
[[directory.group]]
name = "CMG connection points"
purpose = "connection-points"
members = ["CP01$", "CP02$"]
"""


def contoso(**changes: Any) -> Plan:
    """Contoso's plan with changes; ``azure__region="x"`` changes a key of a table."""
    plan = parse_plan(CONTOSO, Path("contoso.toml"))
    for key, value in changes.items():
        table, _, inner = key.partition("__")
        changed = dataclasses.replace(getattr(plan, table), **{inner: value}) if inner else value
        plan = dataclasses.replace(plan, **{table: changed})
    return plan
