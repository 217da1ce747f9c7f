"""``causeway identity``: how a gateway would decide on a client."""
