"""The premises side: dials every gateway worker and calls the site systems."""
