"""What several command groups share: output, passphrases, addresses, and options with what they open."""
