"""Certificates from a public authority by ACME (RFC 8555), proved by a DNS record (DNS-01)."""
