"""The Configuration Manager message format: bytes in, values out, and the reverse; no sockets.

Both ends use it: the site's management point decodes requests and encodes replies, the reference device does the
opposite. ``docs/client-protocol.md`` describes the format and says where each fact comes from.
"""
