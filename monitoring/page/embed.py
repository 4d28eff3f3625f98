#!/usr/bin/env python3
"""Makes one C++ file of a page: embed.py OUT.cpp NAME page.html page.css script.js ...

The constants are called kNAMEHead, kNAMETail and kNAMEPolicy; a second style sheet may follow the first.

Scripts and styles are inlined, and the Content-Security-Policy allows exactly these by their hashes: whatever a run's
files contain, no other script can run. `%DATA%` in the page is the place for a report's data.
"""
import base64
import hashlib
import pathlib
import sys


def hash_of(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def literal(text):
    pieces = [text[i:i + 12000] for i in range(0, len(text), 12000)]  # compilers may limit a literal's length
    return '\n'.join(f'R"PAGE({piece})PAGE"' for piece in pieces)


def main():
    out, name, html, *rest = sys.argv[1:]
    out, html, rest = pathlib.Path(out), pathlib.Path(html), [pathlib.Path(path) for path in rest]
    scripts = [path for path in rest if path.suffix == '.js']
    style_text = ''.join(path.read_text() for path in rest if path.suffix == '.css')
    script_text = '"use strict";\n(() => {\n' + '\n'.join(path.read_text() for path in scripts) + '})();\n'
    policy = (f"default-src 'none'; script-src {hash_of(script_text)}; style-src {hash_of(style_text)}; "
              "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'")
    page = html.read_text()
    for slot, text in (('%POLICY%', policy), ('%STYLE%', style_text), ('%SCRIPT%', script_text)):
        assert page.count(slot) == 1, slot
        page = page.replace(slot, text)
    head, tail = page.split('%DATA%')
    out.write_text('// Made by monitoring/page/embed.py.\n#include "monitoring/page/embedded_page.h"\n\n'
                   'namespace gan::monitoring {\n\n'
                   f'const std::string_view k{name}Head = {literal(head)};\n'
                   f'const std::string_view k{name}Tail = {literal(tail)};\n'
                   f'const std::string_view k{name}Policy = "{policy}";\n\n'
                   '}  // namespace gan::monitoring\n')


if __name__ == '__main__':
    main()
