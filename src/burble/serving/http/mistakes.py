"""What is wrong with a request's body, in plain words: pydantic's findings, translated."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from burble.errors import brief
from burble.hints import nearest_name
from burble.serving.http.errors import RefusalError

_LISTED_AT = "The fields are listed at /docs."
_SHOWN = 60

# What OpenAI's API has and a model that reads forward, letter by letter, has not.
_NOT_HERE = {
    "frequency_penalty": "Leave it out, or use repetition_penalty.",
    "presence_penalty": "Leave it out, or use repetition_penalty.",
    "logit_bias": "Leave it out.",
    "suffix": "Leave it out: the model reads forward only.",
}

# By the type of pydantic's finding: what the field must be. Names in braces are its facts.
_WANTED = {
    "string_type": "a text",
    "string_unicode": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list of texts",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "finite_number": "a finite number",
    "greater_than_equal": "at least {ge}",
    "greater_than": "above {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "below {lt}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "too_short": "at least {min_length} entries long",
    "too_long": "at most {max_length} entries long",
    "literal_error": "{expected}",
}
_OF_ONE = {"string_too_short": "must not be empty", "too_short": "must not be empty"}


def describe_mistake(
    findings: Sequence[Mapping[str, Any]], media_type: str, names: Iterable[str]
) -> RefusalError:
    """Return the refusal of a body. names: of the fields that a request may have."""
    first = findings[0]
    if first["type"] == "json_invalid":
        reason = first["ctx"]["error"]
        return RefusalError(400, f"The body is not JSON: {reason}. Send one JSON object.")
    if len(first["loc"]) > 1:
        param = str(first["loc"][1])
        return RefusalError(400, _describe(param, findings, names), param=param)
    if "json" not in media_type:
        return RefusalError(400, "The body is not JSON: send it as Content-Type: application/json.")
    return RefusalError(400, "The body must be a JSON object with the fields listed at /docs.")


def _describe(param: str, findings: Sequence[Mapping[str, Any]], names: Iterable[str]) -> str:
    of_param = [one for one in findings if one["loc"][1:2] == (param,)]
    # Of a field that takes a text or a list, what is wrong in the one that was given.
    entries = [one for one in of_param if int in map(type, one["loc"])]
    others = [one for one in of_param if not one["type"].endswith("_type")]
    found = [*entries, *others, *of_param][0]
    if found["type"] == "missing":
        return f"{brief(param, _SHOWN)} is missing. {_LISTED_AT}"
    if found["type"] == "extra_forbidden":
        return _unknown_field(found, names)
    if param in _NOT_HERE:
        return f"{param} is not supported. {_NOT_HERE[param]}"
    given = brief(json.dumps(found["input"]), _SHOWN)
    subject = f"Each entry of {param}" if entries else param
    facts = {
        name: f"{fact:,g}" if isinstance(fact, float) else fact
        for name, fact in found.get("ctx", {}).items()
    }
    if found["type"] in _OF_ONE and facts.get("min_length") == 1:
        return f"{subject} {_OF_ONE[found['type']]}; found {given}."
    is_choice = found["type"].endswith("_type") and not entries
    types = [one["type"] for one in of_param] if is_choice else [found["type"]]
    wanted = " or ".join(
        dict.fromkeys(_WANTED.get(kind, "of another kind").format(**facts) for kind in types)
    )
    return f"{subject} must be {wanted}; found {given}."


def _unknown_field(found: Mapping[str, Any], names: Iterable[str]) -> str:
    *outer, name = map(str, found["loc"][1:])
    inside = f" in {outer[0]}" if outer else ""
    near = None if outer else nearest_name(name, names)
    hint = f" Did you mean {near}?" if near else ""
    return f"There is no field {brief(name, _SHOWN)}{inside}.{hint} {_LISTED_AT}"
