"""What a release may change: pacts and OpenAPI documents held against each other."""
