"""Text files that users bring: UTF-8 or, with a byte-order mark, UTF-16, whatever ends their lines."""

import codecs

from minialex.errors import UserError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path, what="the file"):
    """What the file holds. Raises UserError when it cannot be read or is no text."""
    try:
        with open(path, "rb") as file:
            content = file.read()
        text = content.decode(next((coding for mark, coding in _MARKS if content.startswith(mark)), "utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {what} {path}: {error.strerror}") from error
    except UnicodeError as error:
        raise UserError(f"cannot read {what} {path}: it is no text in UTF-8 or UTF-16; save it as UTF-8") from error
    if "\0" in text:
        raise UserError(f"cannot read {what} {path}: it is no text in UTF-8 or UTF-16; save it as UTF-8")
    return text
