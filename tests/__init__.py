"""Tests: of the tool, of the service that it ships as its own subject, and of that service's consumers."""
