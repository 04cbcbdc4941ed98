"""The forms in which gradients are written.

    functions.py    functions and derivatives          alone.py         a backward, no forward
    cells.py        the same of a recurrent cell       keeping.py       what an object keeps
    deep.py         the same of a deep network         widths.py        as wide as a network is
    layers.py       an object with both methods        objects.py       its arrays
    returned.py     whose gradient is which            preparing.py     before its forward
    networks.py     a network in functions             losses.py        where nobody wrote one
    units.py        where training code stands         cutting.py       one step of it
    spaces.py       what that reads, drawn             shapes.py        in which shapes
    stepping.py     the step, run and compared         comparing.py    beside a loss
    episodes.py     a policy, once for many steps
    training.py     what is said of it                 chained.py       methods that are one step
    structures.py   a network of lists, functions      outer.py        weights at the top level
    recording.py    what is subtracted from targets    steps.py         those of Adam and the like
    engines.py      scalar engines, ours too           renaming.py     other words in a gradient
    boxed.py        a Function called with variables   joined.py       other methods it wants
    nodes.py        nodes of a graph, handed others
    observed.py     training, run as it is             watch.py        what is called while it runs
    explained.py    which loss a step is the gradient of
"""
