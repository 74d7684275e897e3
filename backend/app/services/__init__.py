"""The rules of the service: plain functions on a session and a clock, without HTTP."""
