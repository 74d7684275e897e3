"""The older OpenAPI document and the newer one, walked side by side."""
