"""The data path in memory: the real gateway connection, tunnel, connection point and site system connection.

Doubles stand only where sockets and TLS would be. They cannot show what TLS records, the kernel's buffers or the death
of a process do; the system tests do.
"""

from fuzz.data_path.ground import ENDPOINTS, Ground
from fuzz.data_path.path import DataPath, Device, SiteSystem

__all__ = ["ENDPOINTS", "DataPath", "Device", "Ground", "SiteSystem"]
