#!/usr/bin/env python3
"""Makes one C++ file of the page: embed.py OUT.cpp page.html page.css script.js ...

Scripts and styles are inlined, and the Content-Security-Policy allows exactly these by their hashes: whatever a run's
files say, nothing else can run. `%DATA%` in the page is the slot for a report's data.
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
    out, html, style, *scripts = map(pathlib.Path, sys.argv[1:])
    style_text = style.read_text()
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
                   f'const std::string_view kPageHead = {literal(head)};\n'
                   f'const std::string_view kPageTail = {literal(tail)};\n'
                   f'const std::string_view kPagePolicy = "{policy}";\n\n'
                   '}  // namespace gan::monitoring\n')


if __name__ == '__main__':
    main()
