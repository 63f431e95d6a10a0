"""Build a self-contained HTML page whose policy allows only its own script and style."""

import base64
import hashlib
import json
import re


def fill_page(template: str, style: str, script: str, data: object, **markup: str) -> str:
    """Return `template` with {{policy}}, {{style}}, {{script}}, {{data}} and `markup` filled in.

    data: anything that JSON can hold. markup: HTML by name, escaped already.
    """
    parts = markup | {
        "policy": (
            f"default-src 'none'; script-src {source_hash(script)}; "
            f"style-src {source_hash(style)}; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
        # Without "<", since a data block ends at the first `</script`.
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    # In one pass, so that {{…}} in a value is left alone.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def source_hash(source: str) -> str:
    """Return the CSP hash source (`'sha256-…'`) of an inline script or style."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"
