"""Tests of `orchestrator.adapters`."""
