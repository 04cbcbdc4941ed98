"""The appendix: the operations of ops/ by the same names, fast. No line of it is needed to
understand the book.

dispatch.py says which implementation serves which operation: `explain(F.conv2d, x, w)` for one
call, `print(table())` for all.
"""
from .buffers import release_memory
from .dispatch import explain, implementation, table

__all__ = ["explain", "implementation", "release_memory", "table"]
