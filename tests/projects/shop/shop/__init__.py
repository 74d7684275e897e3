"""A shop small enough to be run in every test."""
