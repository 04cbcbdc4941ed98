"""What Python 2 did otherwise is done so for its files, and told."""
import pytest
from student_files import command, verdicts, write

HALVES = """
    import numpy as np
    {}

    def half_forward(x):
        n = len(x) / 2
        {}
        return {}, x

    def half_backward(dout, x):
        n = len(x) {} 2
        dx = np.zeros_like(x)
        dx[:n] = {} * dout
        return dx
    """
USES = ["x[:n]", "x[range(n)]", "x[:n] + np.zeros((n, x.shape[1]))", "x[:n] + [0] * x.shape[1]",
        "np.array([x[i] for i in range(n)])", "x.reshape(2, n, -1)[0]", "np.split(x, [n])[0]"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("factor", [1, -1])
def test_a_float_in_the_place_of_a_whole_number_is_told(tmp_path, use, factor):
    path = write(tmp_path, "half", HALVES.format("", "", use, "//", factor))
    said = " ".join(command(path).stdout.split())
    assert "(/ of whole numbers gives a float in Python 3: write //)" in said
    assert ("sign flipped" in said) == (factor == -1) != ("1 of 1 correct" in said), said


OLD = ["print 'half'", "n = {}.has_key(1) or n", "n = n or unicode(n)", "print ('%d') % n",
       "for _ in xrange(2): pass", "print >>x, n", "n = n or print ('{}').format(n)"]


@pytest.mark.parametrize("line, use", [*zip(OLD, USES), ("print 'half'", "x[[n - 1, n]]")])
def test_in_python_2_a_whole_number_comes_of_two(tmp_path, line, use):
    """Of an odd one, too: the fraction is dropped."""
    use = "x[:n]" if "reshape" in use else use
    path = write(tmp_path, "half", HALVES.format("", line, use, "/", 1).replace("dx[:n]", (
        "dx[n - 1:n + 1]" if "[[" in use else "dx[:n]")))
    said = " ".join(command(path, "--shape", "x=5,3").stdout.split())
    assert "1 of 1 correct" in said and "(read as Python 2)" in said, said


@pytest.mark.parametrize("first, dx, is_right", [
    ("from __future__ import division; print 'x'", "dout / 2", True),
    ("from __future__ import division; print 'x'", "0 * dout", False),
    ("print 'x'", "0 * dout", True), ("print 'x'", "-dout", False)])
def test_what_half_of_one_is(tmp_path, first, dx, is_right):
    """0 in Python 2, but for who imports the other division."""
    first, line = first.split("; ") if ";" in first else ("", first)
    said = command(write(tmp_path, "half", f"""
    {first}
    def half_forward(x):
        {line}
        return 1 / 2 * x, x
    def half_backward(dout, x):
        return {dx}
    """)).stdout
    assert ("1 of 1 correct" in said) == is_right, said


def test_who_means_the_fraction_in_python_2_is_told(tmp_path):
    said = " ".join(command(write(tmp_path, "half", """
    def half_forward(x):
        print "half"
        return 1 / 2 * x, x
    def half_backward(dout, x):
        return 0.5 * dout
    """)).stdout.split())
    assert "1 of 1 correct" in said
    assert "that of Python 2 drops the fraction of whole numbers" in said


@pytest.mark.parametrize("line", [
    "x = x[zip(range(2), range(2))[0][0]:]", "x = x * len(zip([1], [2]))",
    "x = x * map(int, '1')[0]",
    "x = x * len(filter(None, [1]))", "x = x * {1: 2}.keys()[0]",
    "x = x * sum({2: 1}.values()[:1])",
    "x = x * [b for a, b in {1: 1}.iteritems()][0]", "x = x * reduce(max, range(2)[:2])",
    "import cPickle, string, itertools; string.letters; itertools.izip([], [])", "x = x * long(1)"])
def test_lists_and_names_of_python_2(check, line):
    _, (result,) = check(same=f"""
    def same_forward(x):
        print "same"
        {line}
        return 2 * x, x
    def same_backward(dout, x):
        return 2 * dout
    """)
    assert verdicts(result) == {"x": "correct"}, result


def test_a_file_for_both_is_one_of_python_3(check):
    _, (result,) = check(same="""
    try:
        xrange
    except NameError:
        xrange = range
    def same_forward(x):
        return sum(x * (i / 2) for i in xrange(4)), x
    def same_backward(dout, x):
        return 3 * dout
    """)
    assert verdicts(result) == {"x": "correct"}
