"""The course as a site: `python -m lessons.site OUT [--runtime DIR]` writes static pages that run
every lesson in a browser.

pages.py writes the HTML, prose.py turns a lesson's texts into it, parts.py packs what a page's
Python needs, and inpage.py is the Python that runs in the page. web/ holds the pages' own modules.
Texts and programs come from the lessons themselves.
"""
