"""``causeway token``: bulk registration tokens, and the keys that sign all tokens of the site."""
