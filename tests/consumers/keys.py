"""The API keys that the consumers send in their tests, and so in their pacts; made up, and good for nothing else."""

from __future__ import annotations

from typing import Final

WEB_FRONTEND: Final = "web-frontend-pact-key"
BILLING_WORKER: Final = "billing-worker-pact-key"
MOBILE_APP: Final = "mobile-app-pact-key"
REVOKED: Final = "revoked-pact-key"  # no caller has it

# How the service names the billing worker; what it minted before is remembered under this name.
BILLING_WORKER_NAME: Final = "billing-worker"

# What the service needs in its environment to know these keys.
ENVIRONMENT: Final = {
    "UUID_SERVICE_API_KEYS": ",".join(
        (
            f"web-frontend:read+write:{WEB_FRONTEND}",
            f"{BILLING_WORKER_NAME}:read+write:{BILLING_WORKER}",
            f"mobile-app:read:{MOBILE_APP}",
        )
    )
}
