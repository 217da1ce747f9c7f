"""Everything that can change at run time changes fifty times under load."""

import signal
import ssl
from collections.abc import Callable

import psutil

from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from tests.system.certificates import certificates
from tests.system.data_path.path import DataPath, endpoint
from tests.system.processes import Part, wait_until
from tests.system.reliability.load import Load

_TIMES = 50
_WARM = 10
_GROWTH_BYTES = 6 << 20


def _change(path: DataPath, number: int) -> None:
    """A new server certificate; another set of endpoints, limits and trusted roots; all in force at every worker."""
    pair, authority = path.gateway_pair, path.certificates.authority
    authority.issue_server(["localhost"], new_p256_key(), Role.GATEWAY).write(pair.certificate, pair.key)
    path.gateway.signal(signal.SIGHUP)
    standing = [each for each in path.settings.endpoints if not each.name.startswith("changing")]
    changing = [
        endpoint(f"changing-{number}-{one}", f"/changing/{number}/{one}", path.origin.url, max_body_bytes=number)
        for one in range(number % 3 + 1)
    ]
    roots = [authority.pem.decode(), certificates("other").authority.pem.decode()][: number % 2 + 1]
    path.change_everywhere(endpoints=(*standing, *changing), trusted_roots=tuple(roots))
    path.gateway.wait_for("certificate reloaded", count=number * path.workers)


def _resident_bytes(parts: list[Part]) -> dict[int, int]:
    return {pid: size for part in parts for pid, size in part.resident_bytes().items()}


def _descriptors(parts: list[Part]) -> dict[int, int]:
    return {pid: psutil.Process(pid).num_fds() for pid in _resident_bytes(parts)}


def test_certificate_roots_endpoints_and_limits_reloaded_50_times_under_load_fail_nothing_and_leave_nothing(
    running_path: Callable[..., DataPath],
) -> None:
    path = running_path(points=("cp1", "cp2"))
    parts = [path.gateway, *path.points.values()]
    descriptors = _descriptors(parts)
    with Load(path, "/site/small", kept=20, fresh=5, pair=path.device) as load:
        for number in range(1, _TIMES + 1):
            if number == _WARM:
                warm = _resident_bytes(parts)
            _change(path, number)
        grown = {pid: size - warm[pid] for pid, size in _resident_bytes(parts).items()}
        report = load.stop()
    print(len(report.done), grown)
    assert not report.failures
    assert max(grown.values()) < _GROWTH_BYTES
    wait_until(
        lambda: all(count <= descriptors[pid] for pid, count in _descriptors(parts).items()),
        what="as few open descriptors as before the load",
    )
    served = path.gateway_pair.certificate.read_bytes()
    with path.connect() as client:
        shown = client.socket.getpeercert(binary_form=True)
        assert shown
        assert served.startswith(ssl.DER_cert_to_PEM_cert(shown).encode())  # its chain follows
        large = client.ask("POST", f"/changing/{_TIMES}/0", body=bytes(_TIMES + 1))
        assert (large.status, large.reason) == (413, "CMGService_BodyTooLarge")
