"""What to mutate, and the engine that judges mutants (in this version mutmut's own run)."""
