"""A tunnel whose packets are lost on the way: both ends believe in it until nothing has come for too long."""

import time
from pathlib import Path

from tests.system.data_path.path import DataPath, endpoint
from tests.system.processes import wait_until
from tests.system.reliability.load import Load
from tests.system.reliability.network import PartThere, network

_CLIENTS = 20
_FOUND_S = 30.0
_BACK_S = 15.0
_SUSPECTED_S = 6.0
_STUCK_S = 3.0


def test_a_half_open_tunnel_is_found_within_30_seconds_while_the_other_one_serves(
    tmp_path: Path, site_system: str
) -> None:
    with network(lines=2) as net:
        good, bad = net.lines
        everywhere = {"address": "0.0.0.0"}
        path = DataPath(
            tmp_path, workers=1, points=(), gateway={"service": everywhere, "tunnel": everywhere, "admin": everywhere}
        )
        path.gateway = PartThere(
            net, ["gateway", "run", "--config", path.gateway_config], tmp_path / "gateway.log", path._admin_port
        )
        for name, line in (("good", good), ("bad", bad)):
            gateway = {"address": f"{line.there}:{path.tunnel_port}", "name": "localhost"}
            path.points[name] = path.new_point(name, gateway=gateway)
        with path.running():
            path.publish_also(endpoint("site", "/site", site_system))
            with Load(path, "/site/small", kept=_CLIENTS, pause_s=0.1, host=good.there) as load:
                cut = time.monotonic()
                bad.cut()
                path.gateway.wait_for("tunnel lost", connection_point="bad", timeout=_FOUND_S)
                found = time.monotonic()
                point = path.points["bad"]
                point.wait_for("tunnel lost")
                served = point.metric("causeway_connection_point_requests_total")
                bad.mend()
                wait_until(lambda: point.metric("causeway_connection_point_requests_total") > served, timeout=_BACK_S)
                report = load.stop()
    assert found - cut < _FOUND_S
    assert not report.failures
    meanwhile = report.between(cut, found).done
    stuck = [done for done in meanwhile if done.seconds > _STUCK_S]
    assert len(stuck) <= _CLIENTS
    assert all(done.start < cut + _SUSPECTED_S for done in stuck)
    assert len(meanwhile) > 100 * len(stuck)
