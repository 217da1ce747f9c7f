"""The management point: the Configuration Manager client protocol, one file an endpoint."""
