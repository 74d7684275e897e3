"""The UUID service: the API that this project ships as its own subject."""
