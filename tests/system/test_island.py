"""The network that tests make for themselves."""

import sys

from tests.system.island import island

_SERVE_AND_ASK = """
import socket
server = socket.create_server(("127.0.0.7", 443))
client = socket.create_connection(("management.example.com", 443), timeout=5)
print(client.getpeername())
"""


def test_a_name_leads_where_the_test_wants_at_a_port_that_is_nobody_elses() -> None:
    with island() as one, island() as other:
        one.hosts({"management.example.com": "127.0.0.7"})
        assert one.run(sys.executable, "-c", _SERVE_AND_ASK).stdout == "('127.0.0.7', 443)\n"
        assert "gaierror" in other.run(sys.executable, "-c", _SERVE_AND_ASK).stderr


def test_nothing_outside_is_reached() -> None:
    with island() as there:
        attempt = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)"
        assert "Network is unreachable" in there.run(sys.executable, "-c", attempt).stderr
