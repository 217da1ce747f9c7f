"""The conditions under which a policy assignment holds: expressions, usually WQL, joined by operators.

Source: 2007 SDK, Management Point Message Schema. Read and written here; whoever applies policies evaluates them.
"""

from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from causeway.messaging.errors import FieldError
from causeway.messaging.safe_xml import Markup, element, member


class ExpressionType(StrEnum):
    """How long an expression is watched."""

    ONCE = "once"
    UNTIL_TRUE = "until-true"
    CONTINUOUS = "continuous"


class OperatorType(StrEnum):
    """How an operator joins what is below it."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"


@dataclass(frozen=True, slots=True)
class Expression:
    """One query, for example in the language ``WQL``."""

    text: str
    language: str = "WQL"
    type: ExpressionType = ExpressionType.ONCE


@dataclass(frozen=True, slots=True)
class Operator:
    """Operands joined by AND, OR or NOT."""

    type: OperatorType
    operands: "tuple[Operand, ...]"


Operand = Expression | Operator


@dataclass(frozen=True, slots=True)
class Condition:
    """All operands have to hold; none is no condition."""

    operands: tuple[Operand, ...]


def parse_condition(node: Element) -> Condition:
    """Read a ``<Condition>``.

    Raises:
        FieldError: an expression or operator type that is not known: holding it for true would apply the wrong policy.
    """
    return Condition(_parse_operands(node))


def condition_to_xml(condition: Condition) -> Markup:
    """Return the ``<Condition>`` element."""
    return element("Condition", *(_operand_to_xml(operand) for operand in condition.operands))


def _parse_operands(node: Element) -> tuple[Operand, ...]:
    return tuple(_parse_operand(child) for child in node)


def _parse_operand(node: Element) -> Operand:
    if node.tag == "Expression":
        kind = member(ExpressionType, node.get("ExpressionType", ExpressionType.ONCE), "ExpressionType")
        return Expression((node.text or "").strip(), node.get("ExpressionLanguage", "WQL"), kind)
    if node.tag == "Operator":
        return Operator(member(OperatorType, node.get("OperatorType", ""), "OperatorType"), _parse_operands(node))
    raise FieldError(f"a condition holds expressions and operators, not <{node.tag[:40]}>")


def _operand_to_xml(operand: Operand) -> Markup:
    if isinstance(operand, Expression):
        return element("Expression", operand.text, ExpressionType=operand.type, ExpressionLanguage=operand.language)
    return element("Operator", *(_operand_to_xml(one) for one in operand.operands), OperatorType=operand.type)
