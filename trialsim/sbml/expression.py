"""A read-out as the user writes it: names of the model, numbers, + - * / and brackets. Nothing else is ever evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping

import numpy as np

from trialsim.schema import ConfigError

LONGEST, MOST = 10_000, 1_000  # letters, and parts of the tree: a sum of 250 names
ALLOWED = "names of the model, numbers, + - * / and brackets, such as (pAKT + 2 * ppAKT) / AKT_total"
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def parse(text: str, key: str) -> ast.expr:
    """The expression as a tree. ``key``: where it stands, for the error."""
    fault = ConfigError(key, text if len(text) < 80 else f"{text[:77]}...", ALLOWED)
    if len(text) > LONGEST:
        raise fault
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        parts = list(ast.walk(tree))
        if len(parts) > MOST or not all(map(_plain, parts)):
            raise fault
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise fault from error
    return tree


def names(tree: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def evaluate(tree: ast.expr, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Its value where each name has an array of one shape; a division by zero is inf or NaN."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(_value(tree, values), float)


def _plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    kinds = (ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.USub, ast.UAdd, *OPERATORS)
    return isinstance(node, kinds)


def _value(node: ast.expr, values: Mapping[str, np.ndarray]) -> np.ndarray:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Name):
        return values[node.id]
    assert isinstance(node, ast.Constant)
    return np.asarray(node.value, float)
