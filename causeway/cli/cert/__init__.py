"""``causeway cert``: the gateway's server certificate, from its request to its renewal."""
