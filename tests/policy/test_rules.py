"""Every rule over every stack. What each is for stands in its docstring, in tests/policy/rules/."""

import re

import pytest

from tests.policy.rule import RULES, Rule, load_rules
from tests.policy.rules.exposure import PUBLIC, Public, excepted, open_doors
from tests.policy.stacks import NAMES, stacks

load_rules()

SOURCE = re.compile(r"https://|[Ii]ssue 3|[Dd]esign section")
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@every_rule
@pytest.mark.parametrize("stack", NAMES)
def test_rule_holds(rule: Rule, stack: str) -> None:
    problems = [str(problem) for problem in rule.check(stacks()[stack])]
    assert not problems, "\n".join(["", *problems, "", f"Why: {rule.check.__doc__}"])


@every_rule
def test_rule_looks_at_something(rule: Rule) -> None:
    """A type that occurs nowhere is a misspelled one, or a rule that outlived what it was for."""
    occurring = {resource.type for stack in stacks().values() for resource in stack.of()}
    assert set(rule.on) <= occurring, f"{rule.name} looks at {sorted(set(rule.on) - occurring)}, which occur nowhere"


@every_rule
def test_rule_says_why(rule: Rule) -> None:
    assert SOURCE.search(rule.check.__doc__ or ""), f"{rule.name} must say why, and cite its source"


@pytest.mark.parametrize("exception", PUBLIC, ids=lambda each: each.name)
def test_public_exception_is_needed(exception: Public) -> None:
    opened = (resource for stack in stacks().values() for resource, _ in open_doors(stack))
    assert any(excepted(exception, resource) for resource in opened), f"{exception} excepts nothing: delete it"
