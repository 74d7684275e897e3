"""Judging mutants in the user's interpreter: one warm pytest session, and a forked child for each mutant."""
