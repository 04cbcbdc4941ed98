"""Exercise 1: output sizes forwards and backwards."""
from checking import call, same


def check(output_size, input_size, wanted):
    for size, kernel, stride, padding, right in [(227, 11, 4, 0, 55), (55, 3, 2, 0, 27),
                                                 (224, 11, 4, 0, 54), (224, 11, 4, 3, 55),
                                                 (27, 5, 1, 2, 27), (6, 2, 3, 0, 2),
                                                 (32, 5, 1, 0, 28)]:
        span = size + 2 * padding - kernel
        hints = [(span // stride, "these are the steps between windows. The window where the "
                  "sliding starts is missing: + 1."), (span / stride + 1, "a window that sticks "
                                                       "out does not count: round down, with //."),
                 (-(-span // stride) + 1, "a window that sticks out does not count: "
                  "round down, not up."), ((size + padding - kernel) // stride + 1,
                                           "padding stands at both ends: it counts twice."),
                 ((size - kernel) // stride + 1, "padding makes the row longer, at both ends.")]
        numbers = size, kernel, stride, padding
        same(f"output_size{numbers}", call(output_size, *numbers), right, hints)
    for count, kernel, stride, padding, right in [(55, 11, 4, 0, 227), (27, 3, 2, 0, 55),
                                                  (27, 5, 1, 2, 27), (6, 3, 2, 0, 13)]:
        hints = [(count * stride + kernel - 2 * padding,
                  "from the first window to the last it is count - 1 steps."),
                 ((count - 1) * stride + kernel, "padding is not part of the picture: take it off, "
                  "at both ends."), ((count - 1) * stride - 2 * padding,
                                     "the last window is as wide as the kernel: add it.")]
        numbers = count, kernel, stride, padding
        same(f"input_size{numbers}", call(input_size, *numbers), right, hints)
    hints = [(227, "that is the picture for 6: start from 7."),
             (258, "it does give 7, but with a division rounded down."),
             (7, "walk back through all layers, the last one first."),
             (call(input_size, 7, 11, 4, 0), "that undoes conv1 only: "
              "walk back through all layers, the last one first.")]
    same("wanted()", call(wanted), 259, hints)
    return "One value more at pool5 costs 2·2·2·4 = 32 pixels of picture: 227 + 32 = 259."
