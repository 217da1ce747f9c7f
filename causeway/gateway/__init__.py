"""The cloud side: ends TLS, decides who the client is and what is published, and passes requests down a tunnel."""
