"""Tests of the operations, through Flask's test client."""
