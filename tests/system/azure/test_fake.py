"""The fake's answers have the shape that the SDK's models have: every field known, those that are required there."""

import inspect
import re
from typing import Any

import pytest
from azure.mgmt.resource.resources.models import Provider

from tests.system.azure.fake_answers import management, token
from tests.system.azure.running import SUBSCRIPTION, all_well

GET, POST = "GET", "POST"
OPERATIONS: list[tuple[str, str, Any, type[Any], bool]] = [
    # method, path below the subscription, body, the SDK's model, whether the answer is a list of it
    (GET, "/providers/Microsoft.Network", None, Provider, False),
    (POST, "/providers/Microsoft.Network/register", None, Provider, False),
]


def answered(method: str, path: str, body: Any) -> Any:
    state = all_well()
    bearer = f"Bearer {token(state, 'https://management.azure.com')}"
    query = {"api-version": "2026-01-01"}
    answer = management(
        state, "management.azure.com", method, f"/subscriptions/{SUBSCRIPTION}{path}", query, body, bearer
    )
    assert answer.status == 200, answer.body
    return answer.body


def fields(model: type[Any]) -> dict[str, tuple[bool, type[Any] | None]]:
    """The model's fields by their names in JSON: whether it must be there, and the model within."""
    if hasattr(model, "_attribute_map"):  # the SDK's older kind
        found = {}
        for name, about in model._attribute_map.items():
            inner = getattr(inspect.getmodule(model), about["type"].strip("[]{}"), None)
            must = model._validation.get(name, {}).get("required", False)
            keys = re.split(r"(?<!\\)\.", about["key"])
            if len(keys) == 1:
                found[keys[0]] = (must, inner)
        flattened = {about["key"].split(".")[0] for about in model._attribute_map.values() if "." in about["key"]}
        return {**found, **dict.fromkeys(flattened, (False, None))}
    model()  # its fields know their names once one was made
    found = {}
    for name, about in model._attr_to_rest_field.items():
        hint = str(
            model.__annotations__.get(name)
            or next(
                base.__annotations__[name] for base in model.__mro__ if name in getattr(base, "__annotations__", {})
            )
        )
        words = re.findall(r"_models\.(\w+)", hint)
        inner = next(
            (
                getattr(inspect.getmodule(model), word)
                for word in words
                if hasattr(getattr(inspect.getmodule(model), word, None), "_attr_to_rest_field")
            ),
            None,
        )
        found[about._rest_name] = (not re.search("Optional|NoneType", hint) and about._visibility != ["read"], inner)
    return found


def check(value: Any, model: type[Any], where: str) -> None:
    assert isinstance(value, dict), where
    known = fields(model)
    assert not set(value) - set(known), f"{where}: not in {model.__name__}: {set(value) - set(known)}"
    for name, (must, inner) in known.items():
        assert not must or value.get(name) is not None, f"{where}.{name} of {model.__name__} is required"
        if inner is not None and value.get(name) is not None:
            for each in value[name] if isinstance(value[name], list) else [value[name]]:
                check(each, inner, f"{where}.{name}")


@pytest.mark.parametrize(("method", "path", "body", "model", "many"), OPERATIONS, ids=lambda it: str(it)[-40:])
def test_an_answer_is_what_the_sdk_has_a_model_for(
    method: str, path: str, body: Any, model: type[Any], many: bool
) -> None:
    found = answered(method, path, body)
    values = found["value"] if many else [found]
    assert values
    for each in values:
        check(each, model, model.__name__)


def test_a_field_that_the_sdk_does_not_know_is_noticed() -> None:
    with pytest.raises(AssertionError, match="not in Provider"):
        check({**answered(GET, "/providers/Microsoft.Network", None), "state": "x"}, Provider, "it")
