"""Keys, certificates, and an authority of one's own."""
