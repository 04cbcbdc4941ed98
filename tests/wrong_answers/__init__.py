"""Typical wrong answers: for each exercise at least three changes of its solution and a part of the
hint that each must get.

    WRONG = {"01_shape_arithmetic": [(what stands in the solution, what the student wrote, the
    hint), ...]}
"""
