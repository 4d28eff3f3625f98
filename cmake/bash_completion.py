"""Makes a bash completion from a program's --help: commands, flags, the words that a flag can take, files.

Flags that only --help-all lists are completed as well: a user who types their first letters knows them.

Usage: bash_completion.py PROGRAM OUTPUT"""
import pathlib
import re
import subprocess
import sys

NAME = r'-[\w-]+'
FLAG = re.compile(rf'^  (?P<names>{NAME}(?:, {NAME})*)(?: (?P<value>\{{[^}}]*\}}|[^\s.]+))?')
COMMAND = re.compile(r'^  ([a-z]+) [A-Z]')


def flags(text):
    """(names, placeholder or None) of each flag. A description begins two spaces after its flag, so it is not taken as
    a placeholder."""
    for line in text.splitlines():
        if match := FLAG.match(line):
            yield match['names'].split(', '), match['value']


def commands(text):
    _, _, after = text.partition('\nCommands:\n')
    return [match[1] for line in after.split('\n\n')[0].splitlines() if (match := COMMAND.match(line))]


def case(names, value):
    """Returns how the value of these flags is completed; None for a switch."""
    pattern = '|'.join(names)
    if value is None:
        return None
    if value.startswith('{'):
        words = value.strip('{}').replace(',', ' ')
        return f'    {pattern}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;'
    if value in ('N', 'X', 'PORT', 'ADDRESS'):
        return f'    {pattern}) return ;;'
    return f'    {pattern}) COMPREPLY=($(compgen -f -- "$word")); return ;;'


def function(name, found, words):
    every = ' '.join(name for names, _ in found for name in names if name.startswith('--'))
    cases = [line for names, value in found if (line := case(names, value))]
    return [f'{name}() {{', '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}', '  COMPREPLY=()',
            '  case $before in', *cases, '  esac',
            '  if [[ $word == -* ]]; then', f'    COMPREPLY=($(compgen -W "{every}" -- "$word"))', '  else',
            f'    COMPREPLY=($(compgen {words}-f -- "$word"))', '  fi', '}']


def script(program, text, help_of):
    """`help_of(command)`: the output of `program command --help-all`."""
    name = '_' + program.replace('-', '_')
    lines, cases = [f'# Completion of {program} for bash, made from its --help-all.'], []
    found = commands(text)
    for command in found:
        lines += function(f'{name}_{command}', list(flags(help_of(command))), '')
        cases.append(f'    {command}) {name}_{command}; return ;;')
    words = f'-W "{" ".join(found)}" ' if found else ''
    body = function(name, list(flags(text.partition(f'\nUsage: {program} ')[2].partition('\nUsage: ')[0])), words)
    if cases:  # after the command, further words belong to it
        body[1:1] = ['  if ((COMP_CWORD > 1)); then case ${COMP_WORDS[1]} in', *cases, '  esac; fi']
    return '\n'.join([*lines, *body, f'complete -o filenames -F {name} {program}', ''])


def help_all(program, *command):
    return subprocess.run([program, *command, '--help-all'], capture_output=True, text=True, check=True).stdout


def main():
    program = pathlib.Path(sys.argv[1])
    text = script(program.name, help_all(program), lambda command: help_all(program, command))
    pathlib.Path(sys.argv[2]).write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
