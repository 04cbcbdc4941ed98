"""Formulas as the lessons write them, in Unicode, as MathML: a / s^β becomes a fraction, Σ over c,
i, j a sum over c, i, j.

What is no number, name or sign stays a word. The text itself stays beside the formula, for who
copies it or hears it.
"""
import html
import re

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿᵀᵏ", "0123456789-nTk")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
TOKEN = re.compile(r"(?P<space>\s+)|(?P<over>Σ over (?P<indices>\w(?:, "
                   r"\w)*)(?: of)? )|(?P<number>\d[\d,]*(?:\.\d+)?)"
                   r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿᵀᵏ]+)|(?P<prime>[′″‴]+)|(?P<lowered>[₀-₉]+|_\w+)"
                   r"|(?P<sign>Σ)|(?P<word>[^\W\d_⁰¹²³⁴-⁹ⁿᵀᵏ₀-₉]{2,})"
                   r"|(?P<name>[^\W\d_])|(?P<other>.)")


def to_html(text: str) -> str:
    """One line: columns that stand apart as words, the rest as a formula, with the line itself
    beside it."""
    words, formula = re.fullmatch(r"((?:[a-z ]+:? {2,})?)(.*)", text).groups()
    return (f'<span class="math"><span class="text">{html.escape(text)}</span><span class="seen" '
            f'aria-hidden="true">'
            f"{html.escape(words)}<math>"
            f"{''.join(_row(_tokens(formula), display=True))}</math></span></span>")


def _tokens(text):
    return [found for found in TOKEN.finditer(text) if found.lastgroup != "space"
            or len(found[0]) > 1]


def _row(tokens, display, end=None):
    """The parts up to this closing sign, which is taken off; tokens: a list that is used up."""
    parts = []
    while tokens:
        token = tokens.pop(0)
        if token[0] == end:
            break
        if display and token[0] == "/" and parts and tokens and parts[-1][:4] != "<mo>":
            parts[-1] = f"<mfrac>{_bare(parts[-1])}{_bare(_term(tokens.pop(0), tokens))}</mfrac>"
        elif token.lastgroup in ("raised", "lowered", "prime") or token[0] == "^":
            _attach(parts, token, tokens)
        else:
            parts.append(_term(token, tokens))
    return parts


def _attach(parts, token, tokens):
    base = parts.pop() if parts else "<mrow></mrow>"
    if token[0] == "^":
        parts.append(f"<msup>{base}{_bare(_term(tokens.pop(0), tokens))}</msup>")
    elif token.lastgroup == "lowered":
        below = html.escape(token[0].translate(LOWERED).strip('_'))
        parts.append(f"<msub>{base}<mtext>{below}</mtext></msub>")
    elif token.lastgroup == "prime":
        parts.append(f'<mrow>{base}<mo lspace="0" rspace="0">{token[0]}</mo></mrow>')
    else:
        parts.append(f"<msup>{base}<mn>{token[0].translate(RAISED)}</mn></msup>")


def _term(token, tokens):
    """One number, name, word or bracket; of a fraction's or a power's second part, with what is
    raised on it."""
    closing = {"(": ")", "[": "]"}.get(token[0])
    if closing:
        inside = "".join(_row(tokens, False, closing))
        return (f'<mrow><mo stretchy="false">{token[0]}</mo>{inside}<mo '
                f'stretchy="false">{closing}</mo></mrow>')
    if token["over"]:
        return f"<munder><mo>Σ</mo><mtext>{token['indices']}</mtext></munder>"
    kind = {"number": "mn", "name": "mi", "word": "mtext", "space": "mtext"}.get(token.lastgroup,
                                                                                 "mo")
    text = "−" if token[0] == "-" else token[0]
    if kind == "mtext":  # a word keeps the spaces that it has
        before, after = token.string[:token.start()][-1:], token.string[token.end():][:1]
        text = ("\u00a0" * (before == " ") + text + "\u00a0" * (after == " ")).replace(" ",
                                                                                       "\u00a0")
    one = f"<{kind}>{html.escape(text)}</{kind}>"
    if tokens and (tokens[0].lastgroup in ("raised", "lowered") or tokens[0][0] == "^"):
        parts = [one]
        _attach(parts, tokens.pop(0), tokens)
        return parts[0]
    return one


def _bare(part):
    """A bracket that a fraction's line or a root makes unnecessary is left out."""
    found = re.fullmatch(r'<mrow><mo stretchy="false">\(</mo>(.*)<mo '
                         r'stretchy="false">\)</mo></mrow>', part)
    return f"<mrow>{found[1]}</mrow>" if found else part
