"""The systems, in the order in which a round asks them."""

from bench.systems.base import System
from bench.systems.causeway import Causeway, CausewaySource, CausewayTwoWorkers
from bench.systems.envoy_reverse import EnvoyReverse
from bench.systems.haproxy import HAProxy
from bench.systems.haproxy_rhttp import HAProxyReverse, HAProxyReverseLargeBuffers
from bench.systems.nginx import Nginx
from bench.systems.origin import OriginAlone

SYSTEMS: dict[str, type[System]] = {
    system.name: system
    for system in (
        OriginAlone,
        Nginx,
        HAProxy,
        EnvoyReverse,
        HAProxyReverse,
        HAProxyReverseLargeBuffers,
        Causeway,
        CausewaySource,
        CausewayTwoWorkers,
    )
}
