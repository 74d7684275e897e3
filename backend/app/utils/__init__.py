"""What all routes need: reading requests, callers, problem documents, logs."""
