"""A bash completion from what a program's --help says: flags, the words that a flag can take, files.

Usage: bash_completion.py PROGRAM OUTPUT"""
import pathlib
import re
import subprocess
import sys

FLAG = re.compile(r'^  (?P<names>-[\w-]+(?:,-[\w-]+)*)(?:\{\w+\})?(?: (?P<type>[A-Z]+)(?::\{(?P<words>[^}]*)\})?)?')


def flags(text):
    for line in text.splitlines():
        if match := FLAG.match(line):
            yield match['names'].split(','), match['type'], (match['words'] or '').replace(',', ' ')


def script(program, text):
    found = list(flags(text))
    cases = []
    for names, kind, words in found:
        if words:
            cases.append(f'    {"|".join(names)}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;')
        elif kind in ('INT', 'UINT', 'FLOAT'):
            cases.append(f'    {"|".join(names)}) return ;;')
        elif kind or '--config' in names:
            cases.append(f'    {"|".join(names)}) COMPREPLY=($(compgen -f -- "$word")); return ;;')
    function = '_' + program.replace('-', '_')
    every = ' '.join(name for names, _, _ in found for name in names if name.startswith('--'))
    return '\n'.join([f'# Completion of {program} for bash, made from its --help.', f'{function}() {{',
                      '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}', '  COMPREPLY=()',
                      '  case $before in', *cases, '  esac',
                      '  if [[ $word == -* ]]; then', f'    COMPREPLY=($(compgen -W "{every}" -- "$word"))', '  else',
                      '    COMPREPLY=($(compgen -f -- "$word"))', '  fi', '}',
                      f'complete -o filenames -F {function} {program}', ''])


def main():
    program = pathlib.Path(sys.argv[1])
    done = subprocess.run([program, '--help'], capture_output=True, text=True, check=True)
    pathlib.Path(sys.argv[2]).write_text(script(program.name, done.stdout), encoding='utf-8')


if __name__ == '__main__':
    main()
