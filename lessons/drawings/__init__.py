"""The lessons' drawings, one file for each: what is too long to stand between a claim and its
proof.

`from drawings import tape` and `tape.draw(...)` gives a figure, which `classroom.save` writes.
"""
