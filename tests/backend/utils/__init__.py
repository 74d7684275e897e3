"""Tests of what all routes need."""
