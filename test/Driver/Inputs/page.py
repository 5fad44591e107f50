#===- page.py - Checks a page of HTML ---------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""page.py FILE PLOTS TEXT...: elements are closed as they were opened, nothing
comes from another file, there are so many plots, and the texts stand in it."""

import html.parser
import re
import sys

VOID = {"meta", "br", "rect", "line"}
OUTSIDE = {"src", "href", "srcset", "data", "action"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.plots, self.text = [], 0, ""

    def handle_starttag(self, tag, attributes):
        names = [name for name, value in attributes]
        assert tag not in ("script", "link", "img", "iframe"), tag
        assert not OUTSIDE.intersection(names), (tag, names)
        assert not any(name.startswith("on") for name in names), names
        self.plots += tag == "svg"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.text += data


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    source = file.read()
page.feed(source)
page.close()
assert page.open == [], page.open
# PTX has comments around inline assembly; other slashes are addresses.
addresses = re.sub("// (begin|end) inline asm", "", source)
assert "url(" not in source and "@import" not in source
assert "//" not in addresses
assert "prefers-color-scheme: dark" in source
assert page.plots == int(sys.argv[2]), page.plots
for text in sys.argv[3:]:
    assert text in page.text, text
