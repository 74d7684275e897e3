"""Names for findings that stay the same when lines move."""

from __future__ import annotations

import hashlib


def fingerprint(*parts: str) -> str:
    """Return twelve hexadecimal digits that stand for `parts`, in their order.

    Each part is length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]
