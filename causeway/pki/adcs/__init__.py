"""Certificates from Active Directory Certificate Services: by files, which always works, or by web enrolment."""
