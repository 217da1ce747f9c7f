"""Everything that talks to Azure."""
