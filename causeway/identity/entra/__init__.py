"""Tokens of Entra ID: the tenants' signing keys, and what a token must say to be believed."""
