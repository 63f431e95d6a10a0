"""One self-contained page, whose policy lets run only its own script, by its hash."""

import base64
import hashlib
import json
import re


def fill_page(template: str, style: str, script: str, data: object, **markup: str) -> str:
    """Fill {{policy}}, {{style}}, {{script}}, {{data}} and `markup`, which must be escaped."""
    parts = markup | {
        "policy": (
            f"default-src 'none'; script-src {source_hash(script)}; "
            f"style-src {source_hash(style)}; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
        # JSON in ASCII that no tag can be in: a data block ends at the first `</script`.
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    # In one pass: what is put in is not looked through again.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def source_hash(source: str) -> str:
    """What a policy calls a script or a style by that stands in a page."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"
