"""Tests of `orchestrator.mutation`."""
