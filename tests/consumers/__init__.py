"""Three consumers of the UUID service, and what they expect of it: their tests write the pacts in `contracts/`."""
