"""Exercise 12: the count of 1998."""
from checking import call, same


def check(sparse_convolution, fully_connected, lenet_1998):
    table = [[0, 1, 2], [1, 2], [0, 1, 2, 3]]
    for K in (5, 3):
        same(f"sparse_convolution of a table with 3, 2 and 4 maps, K = {K}",
             call(sparse_convolution, table, K), 9 * K * K + 3,
             [(9 * K * K, "the biases are missing, one for each output map."),
              (9 * (K * K + 1), "one bias for each output map, not one for each kernel."),
              (12 * K * K + 3, "a map that is not in the table has no kernel: "
               "count what is listed."), (9 * K + 3, "a kernel has K·K weights."),
              (9 * K * K + 1, "every output map has a bias of its own, three here.")])
    same("fully_connected(120, 84)", call(fully_connected, 120, 84), 10_164, [
        (120 * 84, "the biases are missing, one for each output."),
        (120 * 85, "one bias for each output, 84, not for each input."),
        (120 * 84 + 1, "one bias for each output, 84 of them."),
    ])
    same("lenet_1998()", call(lenet_1998), 60_000,
         [(61_706, "that is the modern form: here C3 has its table, "
           "the pools are trained and the output is not."),
          (60_900, "C3 sees only what its table lists: 1,516 parameters, not 2,416."),
          (59_956, "the two pools are missing: two numbers for each of 6 and 16 maps."),
          (59_978, "a pool has two trained numbers for each map: a factor and a bias."),
          (60_850, "the output layer had nothing to train in 1998: "
           "its ten patterns were drawn by hand.")])
    return "60,000, as the paper of 1998 says."
