"""The tunnel between gateway and connection point: frames, credit, handshake, drain (``docs/tunnel-protocol.md``)."""
