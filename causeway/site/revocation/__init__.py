"""How the site learns which certificates were revoked: it fetches revocation lists and checks them."""
