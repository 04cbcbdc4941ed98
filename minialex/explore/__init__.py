"""Pages to look into a network: one HTML file each, opened by double click, which asks nothing of
any network.

    network.py     what shapes and the engine know of a network, as plain values: explorer.html, .js
    trained.py     what a trained one has learnt: filters, maps, patches, crops: trained.js
    recording.py   `ma.record()`: a forward and backward pass, to be played again: player.html, .js
    samples.py, verdict.py   its arrays, and where the gradient checker's verdict belongs
    page.py        a page with its data, style and script (frame: utils/html_page.py): frame.html,
                   page.css, dom.js

figure.js draws a network to scale, sliders.js redoes a layer's arithmetic, arithmetic.js is
shapes.py once more: tests/explore hold one to the other.
"""
