"""``causeway site``: the site: run and checked, and what is in its database."""
