"""The loans desk of a small library, as an HTTP API."""
