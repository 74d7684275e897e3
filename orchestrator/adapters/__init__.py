"""The only places that know a tool's API or file format: one module a tool."""
