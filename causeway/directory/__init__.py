"""A small LDAP client for an Active Directory: found, signed in to over a protected connection, and read."""
