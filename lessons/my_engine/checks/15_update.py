"""Brick 15: the update rule, as exercise 15 checks it."""
import checking


def check(update):
    checking.load("15_update_rule").check_update(update)
    return "Millions of weights, one line."
