#!/usr/bin/env python3
"""Generates man pages and shell completions from the --help of the programs.

usage: help-pages.py FOLDER OUTPUT

Runs tfi-consumer, tfi-producer and kafkawire of FOLDER. Writes OUTPUT/NAME.1, OUTPUT/bash/NAME and OUTPUT/zsh/_NAME.
SOURCE_DATE_EPOCH is the date of the man pages. A help text that the parser does not understand ends it with status 65.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

# Facts that no help text has: the one line of a program without a summary, and the section FILES.
SUMMARIES = {"kafkawire": "read, write and administer Kafka topics in a terminal"}
FILES = {
    "tfi-consumer": [
        ("/etc/tfi-consumer/NAME.env", "The environment of the service tfi-consumer@NAME: one NAME=VALUE a line."),
        ("/usr/share/doc/tfi-consumer/examples", "An example of such a file, example mappings and a day of the plant."),
    ]
}
SEE_ALSO = {
    "tfi-consumer": ["tfi-producer(1)", "kafkawire(1)", "systemctl(1)", "psql(1)"],
    "tfi-producer": ["tfi-consumer(1)", "kafkawire(1)"],
    "kafkawire": ["tfi-consumer(1)", "tfi-producer(1)"],
}


@dataclass(frozen=True)
class Option:
    """One option. `argument` is empty for a flag; `variable` is the option's name in the environment."""

    name: str
    argument: str
    text: str
    variable: str = ""

    @property
    def repeats(self):
        return "May be repeated." in self.text or "may be repeated" in self.text

    @property
    def choices(self):
        if re.fullmatch(r"[a-z0-9]+(\|[a-z0-9]+)+", self.argument):
            return self.argument.split("|")
        listed = re.fullmatch(r"([a-z0-9]+(?:, [a-z0-9]+)*) or ([a-z0-9]+)", self.text)
        return listed[1].split(", ") + [listed[2]] if listed else []

    @property
    def takes_file(self):
        return self.argument in ("FILE", "FILE…")

    @property
    def heading(self):
        separator = " " if self.argument else ""
        return f"{self.name}{separator}{self.argument}"


@dataclass
class Command:
    """One command with its help. `arguments` are the placeholders that follow its name, such as `TOPIC…`."""

    name: str
    summary: str
    arguments: str = ""
    paragraphs: list = field(default_factory=list)
    options: list = field(default_factory=list)
    statuses: list = field(default_factory=list)


@dataclass
class Program:
    """One program with all of its help."""

    name: str
    version: str
    summary: str
    usage: list = field(default_factory=list)
    paragraphs: list = field(default_factory=list)
    sections: list = field(default_factory=list)  # pairs of a title and options
    commands: list = field(default_factory=list)
    statuses: list = field(default_factory=list)


def give_up(reason):
    print(f"help-pages.py: {reason}", file=sys.stderr)
    sys.exit(65)


def help_of(folder, program, *words):
    result = subprocess.run([folder / program, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if result.returncode != 0:
        give_up(f"'{program} {' '.join(words)}' ended with status {result.returncode}")
    return result.stdout.decode()


def blocks(text):
    """The text's parts between empty lines, each a list of lines."""
    return [block.split("\n") for block in re.split(r"\n(?:[ ]*\n)+", text.strip("\n"))]


def joined(lines):
    return " ".join(line.strip() for line in lines)


def two_columns(lines, program):
    """Rows of a term and its description, which may continue in lines that are indented to the second column."""
    rows = []
    column = None
    for line in lines:
        row = re.match(r"(  |      )(\S.*?)(  +)(\S.*)$", line)
        indentation = len(line) - len(line.lstrip())
        if column is not None and indentation >= column:
            rows[-1][1].append(line.strip())
        elif row:
            column = column or row.start(4)
            rows.append((row[2], [row[4]]))
        else:
            give_up(f"{program}: the line '{line}' has no second column")
        column = min(column, row.start(4)) if row and indentation < column else column
    return [(term, " ".join(text)) for term, text in rows]


# The help of tfi-consumer and tfi-producer.


def read_command(folder, program, name, summary):
    command = Command(name, summary)
    parts = blocks(help_of(folder, program, *name.split(), "--help"))
    if not parts[0][0].startswith(f"{program} {name}: "):
        give_up(f"the help of '{program} {name}' does not begin with its name")
    for part in parts[1:]:
        if part[0].startswith("Usage:"):
            continue
        if part[0].startswith("Options"):
            for line in part[1:]:
                heading = re.fullmatch(r"  (-[^\s,]+(?:, -[^\s,]+)?)(?: (\S+))?(?:  \[(\w+)\])?", line)
                if heading:
                    command.options.append([heading[1], heading[2] or "", heading[3] or "", []])
                elif line.startswith("      ") and command.options:
                    command.options[-1][3].append(line)
                else:
                    give_up(f"'{program} {name}': no option in the line '{line}'")
        elif part[0].startswith("Exit status"):
            command.statuses = two_columns(part[1:], program)
        else:
            command.paragraphs.append(joined(part))
    if not command.options or not command.statuses:
        give_up(f"the help of '{program} {name}' has no options or no exit statuses")
    command.options = [Option(name, argument, joined(text), variable)
                       for name, argument, variable, text in command.options]
    return command


def read_program(folder, name):
    parts = blocks(help_of(folder, name, "--help"))
    program = Program(name, "", "")
    for part in parts:
        if part[0].startswith(name):
            program.version = part[0].split()[1]
            program.summary = joined(part[1:])
        elif part[0].startswith("Usage:"):
            program.usage.append(part[0].removeprefix("Usage: "))
        elif part[0] == "Commands:":
            program.commands = [read_command(folder, name, *row) for row in two_columns(part[1:], name)]
        else:
            program.paragraphs.append(joined(part))
    if not program.commands:
        give_up(f"the help of '{name}' lists no commands")
    statuses = {}
    for command in program.commands:
        for status, text in command.statuses:
            if text not in statuses.setdefault(status, []):
                statuses[status].append(text)
    program.statuses = [(status, "; or ".join(statuses[status])) for status in sorted(statuses, key=int)]
    return program


# The help of kafkawire.


def read_administration(folder, program, topic):
    """The commands of one kind, such as `topics list` and `topics create`."""
    commands = []
    for part in blocks(help_of(folder, program, topic, "--help")):
        heading = re.fullmatch(rf"  {program} ({topic} [a-z-]+)(.*)", part[0])
        if not heading:
            continue
        options = [index for index, line in enumerate(part) if line.startswith("        --")]
        end = options[0] if options else len(part)
        command = Command(heading[1], joined(part[1:end]), heading[2].strip())
        for term, text in two_columns([line[6:] for line in part[end:]], program):
            name, _, argument = term.partition(" ")
            command.options.append(Option(name, argument, text))
        commands.append(command)
    if not commands:
        give_up(f"the help of '{program} {topic}' lists no commands")
    return commands


def read_tool(folder, name):
    program = Program(name, "", SUMMARIES[name])
    for part in blocks(help_of(folder, name, "--help")):
        if part[0].startswith(f"{name} "):
            program.version = part[0].split()[1]
        elif part[0].startswith("Usage:"):
            program.usage = [re.split(r"  +", line.removeprefix("Usage:").strip()) for line in part]
        elif part[0].endswith(":") and not part[0].startswith(" "):
            read_sections(program, part)
        else:
            program.paragraphs.append(joined(part))
    topics = next((re.search(r"[a-z]+(\|[a-z]+)+", usage[0])[0] for usage in program.usage
                   if re.search(r"[a-z]+\|", usage[0])), None)
    if not topics or not program.sections or not program.statuses:
        give_up(f"the help of '{name}' has no administration, options or exit statuses")
    for topic in topics.split("|"):
        program.commands += read_administration(folder, name, topic)
    return program


def read_sections(program, lines):
    """Sections of options, one after the other, each with a title that ends with a colon."""
    starts = [index for index, line in enumerate(lines) if not line.startswith(" ")] + [len(lines)]
    for start, end in zip(starts, starts[1:]):
        title, rows = lines[start].rstrip(":"), lines[start + 1:end]
        if title == "Exit status":
            program.statuses = two_columns(rows, program.name)
            continue
        options = []
        # Short options without a text share a line: `-h, --help   -V, --version`.
        if all(re.fullmatch(r"  (-\w, --[a-z]+ *)+", row) for row in rows):
            for row in rows:
                options += [Option(names, "", names.split("--")[1].capitalize() + ".")
                            for names in re.findall(r"-\w, --[a-z]+", row)]
        else:
            for term, text in two_columns(rows, program.name):
                term, _, argument = term.partition(" ")
                options.append(Option(term, argument, text))
        program.sections.append((title, options))


# roff


def roff(text):
    """Text for a line of roff, with options in bold."""
    text = text.replace("\\", "\\e").replace("…", "...").replace("'", "\\(aq").replace("`", "\\(ga")
    pattern = r"(?<![\w-])(--[a-z][a-z-]*[a-z])"
    pieces = re.split(pattern, text)
    pieces = [f"\\fB{piece}\\fR" if re.fullmatch(pattern, piece) else piece for piece in pieces]
    text = "".join(pieces).replace("-", "\\-")
    return f"\\&{text}" if text.startswith(".") else text


def heading(option):
    parts = [f"\\fB{roff_plain(name)}\\fR" for name in option.name.split(", ")]
    line = ", ".join(parts)
    if option.argument:
        line += f" \\fI{roff_plain(option.argument)}\\fR"
    if option.variable:
        line += f"  [{roff_plain(option.variable)}]"
    return line


def roff_plain(text):
    return text.replace("\\", "\\e").replace("…", "...").replace("'", "\\(aq").replace("-", "\\-")


def capitalised(text):
    return text[:1].upper() + text[1:]


def sentence(text):
    return text if text.endswith(".") else text + "."


def definition(lines, term, text):
    lines += [".TP", term, roff(text)]


def page_head(program, date):
    summary = program.summary.split(". ")[0].rstrip(".")
    summary = summary[:1].lower() + summary[1:]
    return [
        f".\\\" Generated from '{program.name} --help'.",
        f".TH {program.name.upper().replace('-', chr(92) + '-')} 1 \"{date}\" \"{program.name} {program.version}\"",
        ".SH NAME",
        f"{roff_plain(program.name)} \\- {roff_plain(summary)}",
        ".SH SYNOPSIS",
    ]


def page_tail(program):
    lines = [".SH EXIT STATUS"]
    for status, text in program.statuses:
        definition(lines, f".B {status}", text)
    if program.name in FILES:
        lines.append(".SH FILES")
        for path, text in FILES[program.name]:
            definition(lines, f".I {roff_plain(path)}", text)
    pages = [f".BR {page[:-3].replace('-', chr(92) + '-')} ({page[-2]})" for page in SEE_ALSO[program.name]]
    lines += [".SH SEE ALSO", *[page + " ," for page in pages[:-1]], pages[-1]]
    return lines


def program_page(program, date):
    """The man page of a program whose options belong to its commands."""
    uses = {}
    for command in program.commands:
        for option in command.options:
            uses[option] = uses.get(option, 0) + 1
    shared = [option for option in uses if uses[option] > 1 or option.name.startswith("-h")]
    lines = page_head(program, date)
    for command in program.commands:
        lines += [f".B {roff_plain(program.name)} {roff_plain(command.name)}", ".RI [ OPTION ...]", ".br"]
    lines[-1:] = [".SH DESCRIPTION", roff(sentence(program.summary))]
    for paragraph in program.paragraphs:
        lines += [".PP", roff(paragraph)]
    lines.append(".SH COMMANDS")
    for command in program.commands:
        lines += [f".SS {roff_plain(command.name)}", roff(sentence(capitalised(command.summary)))]
        for paragraph in command.paragraphs:
            lines += [".PP", roff(paragraph)]
        for option in command.options:
            if option not in shared:
                definition(lines, heading(option), option.text)
        names = [f"\\fB{roff_plain(option.name)}\\fR" for option in command.options
                 if option in shared and not option.name.startswith("-h")]
        if names:
            lines += [".PP", f"Options described below: {', '.join(names)}."]
    lines += [".SH OPTIONS", "Options that several commands take."]
    for option in shared:
        definition(lines, heading(option), option.text)
    lines += [".SH ENVIRONMENT",
              "The variable in brackets after an option sets it too. The option on the command line takes precedence."]
    if any("PGHOST" in option.text for option in uses):
        lines += [".PP", "libpq reads its own variables, such as PGHOST, PGUSER and PGPASSFILE."]
    return lines + page_tail(program)


def tool_page(program, date):
    """The man page of kafkawire: options by purpose, and the commands of administration."""
    lines = page_head(program, date)
    for usage in program.usage:
        lines += [roff_plain(usage[0]), ".br"]
    lines[-1:] = [".SH DESCRIPTION"]
    for usage in program.usage:
        if len(usage) > 1:
            definition(lines, f"\\fB{roff_plain(usage[0])}\\fR", usage[1])
    for paragraph in program.paragraphs:
        lines += [".PP", roff(paragraph)]
    lines.append(".SH OPTIONS")
    for title, options in program.sections:
        lines.append(f".SS {roff_plain(title)}")
        for option in options:
            definition(lines, heading(option), option.text)
    lines.append(".SH ADMINISTRATION")
    for command in program.commands:
        lines += [f".SS {roff_plain(command.name)} {roff_plain(command.arguments)}".rstrip(),
                  roff(sentence(capitalised(command.summary)))]
        for option in command.options:
            definition(lines, heading(option), option.text)
    return lines + page_tail(program)


# Completions


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def names_of(option):
    return option.name.split(", ")


BASH_HEAD = """\
# bash completion for {program}. Generated from '{program} --help'.
# shellcheck shell=bash disable=SC2034
{function}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' words='' flags='' valued='' files='' first=${{COMP_WORDS[1]:-}} second=${{COMP_WORDS[2]:-}}
    # bash splits --name=value into three words.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $option == '=' ]] && ((COMP_CWORD > 1)); then
        option=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    ((COMP_CWORD > 1)) || first=''
    ((COMP_CWORD > 2)) || second=''
"""

BASH_TAIL = """\
    if [[ -z $words && -z $files ]]; then
        [[ " $valued " != *" $option "* ]] || return 0
        [[ $current == -* || -z $arguments ]] && words="$flags $valued"
        files=$arguments
    fi
    if [[ $current != -* && -n $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    fi
}}
complete -F {function} {program}
"""


def bash_options(options, indentation):
    """Lines that set `flags` and `valued`, and complete the value of `$option`."""
    flags = " ".join(name for option in options if not option.argument for name in names_of(option))
    valued = " ".join(dict.fromkeys(name for option in options if option.argument for name in names_of(option)))
    lines = [f"flags='{flags}'", f"valued='{valued}'"]
    files = list(dict.fromkeys(option.name for option in options if option.takes_file))
    cases = [f"    {' | '.join(files)}) files=yes ;;"] if files else []
    for option in options:
        if option.choices:
            cases.append(f"    {option.name}) words='{' '.join(option.choices)}' ;;")
    if cases:
        lines += ["case $option in", *cases, "esac"]
    return [indentation + line for line in lines]


def command_words(commands):
    """First words of all commands, and for each of them the second words."""
    first = {}
    for command in commands:
        words = command.name.split()
        first.setdefault(words[0], []).extend(words[1:])
    return first


def bash_commands(program, common):
    """The case of all commands; `common` options belong to each of them."""
    lines = ["    case $first in"]
    for word, seconds in command_words(program.commands).items():
        if seconds:
            lines.append(f"        {word}) command=\"$first $second\"; "
                         f"[[ -n $second ]] || words='{' '.join(seconds)}' ;;")
        else:
            lines.append(f"        {word}) command=$first ;;")
    lines += ["    esac", "    case $command in"]
    for command in program.commands:
        lines += [f"        {quoted(command.name)})", *bash_options(command.options + common, " " * 12),
                  " " * 12 + ";;"]
    return lines + ["    esac"]


def bash_completion(program):
    function = "_" + program.name.replace("-", "_")
    lines = BASH_HEAD.format(program=program.name, function=function).splitlines()
    first = " ".join(command_words(program.commands))
    if program.sections:
        options = [option for _, options in program.sections for option in options if option.name.startswith("-")]
        common = [option for option in options if option.name in ("-b", "-X", "-F", "-m", "-d", "-J", "-h, --help")]
        modes = " ".join(dict.fromkeys(usage[0].split()[1] for usage in program.usage if " -" in usage[0]))
        lines += ["    local arguments=''", *bash_commands(program, list(dict.fromkeys(common))),
                  f"    if [[ -z $command && -z $words && ' {first} ' != *\" $first \"* ]]; then",
                  *bash_options(options, " " * 8),
                  f"        flags=\"{modes} $flags\"",
                  "        # -P sends files.",
                  "        [[ \" ${COMP_WORDS[*]} \" != *' -P '* ]] || arguments=yes",
                  f"        [[ $COMP_CWORD != 1 || $current == -* ]] || words='{first}'",
                  "    fi"]
    else:
        lines += ["    local arguments=''", *bash_commands(program, []),
                  f"    ((COMP_CWORD > 1)) || words='{first} --help --version'"]
    return lines + BASH_TAIL.format(program=program.name, function=function).splitlines()


def zsh_text(text):
    text = re.split(r"(?<=[.;]) ", text)[0].rstrip(".;")
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_spec(option):
    names = names_of(option)
    value = ""
    if option.argument:
        label = re.sub(r"[^A-Za-z]+", " ", option.argument).strip() if not option.choices else "value"
        action = "_files" if option.takes_file else f"({' '.join(option.choices)})" if option.choices else " "
        value = f":{label}:{action}"
    # Long options take their value as the next word or behind an equals sign, short ones as they are.
    specs = []
    for name in names:
        joint = ("=" if name.startswith("--") else "+") if option.argument else ""
        exclusive = "*" if option.repeats else f"({' '.join(names)})" if len(names) > 1 else ""
        specs.append(quoted(f"{exclusive}{name}{joint}[{zsh_text(option.text)}]{value}"))
    return specs


def zsh_arguments(options, indentation, files=False):
    specs = [spec for option in options for spec in zsh_spec(option)]
    if files:
        specs.append("'*:file:_files'")
    return [f"{indentation}_arguments -s -S \\"] + [f"{indentation}    {spec} \\" for spec in specs[:-1]] + [
        f"{indentation}    {specs[-1]}"]


def zsh_completion(program):
    function = "_" + program.name.replace("-", "_")
    first = command_words(program.commands)
    common = []
    options = []
    if program.sections:
        options = list(dict.fromkeys(option for _, options in program.sections for option in options
                                     if option.name.startswith("-")))
        common = [option for option in options if option.name in ("-b", "-X", "-F", "-m", "-d", "-J", "-h, --help")]
        modes = [Option(usage[0].split()[1], "", usage[1]) for usage in program.usage if " -" in usage[0]]
        # -X is described three times.
        unique = {option.name: option for option in reversed(modes + options)}
        options = list(reversed(unique.values()))
        common = [option for option in options if option in common]
    lines = [f"#compdef {program.name}", f"# Generated from '{program.name} --help'.", f"{function}() {{",
             "    local -a commands", "    local command=${words[2]}"]
    # The second word of a command, for those with two.
    for word, seconds in first.items():
        if seconds:
            described = {command.name.split()[1]: command.summary for command in program.commands
                         if command.name.split()[0] == word}
            items = " ".join(quoted(f"{name}:{zsh_text(text)}") for name, text in described.items())
            lines += [f"    if [[ $command == {word} ]] && (( CURRENT == 3 )); then",
                      *wrapped(f"        commands=({items})"), "        _describe command commands", "        return",
                      "    fi"]
    described = {word: next(command.summary for command in program.commands if command.name.split()[0] == word)
                 if not seconds else " ".join(["one of", ", ".join(seconds)]) for word, seconds in first.items()}
    items = " ".join(quoted(f"{name}:{zsh_text(text)}") for name, text in described.items())
    lines += ["    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then", *wrapped(f"        commands=({items})"),
              "        _describe command commands", "        return", "    fi",
              f"    if [[ ' {' '.join(word for word in first if first[word])} ' == *\" $command \"* ]]; then",
              "        command=\"$command ${words[3]}\"", "        shift words; (( CURRENT-- ))", "    fi"]
    lines.append("    case $command in")
    for command in program.commands:
        lines += [f"        {quoted(command.name)})", "            shift words; (( CURRENT-- ))",
                  *zsh_arguments(command.options + common, " " * 12), " " * 12 + ";;"]
    lines.append("        *)")
    if program.sections:
        lines += zsh_arguments(options, " " * 12, files=True)
    else:
        lines += [" " * 12 + "_arguments '(- *)'{-h,--help}'[Shows the help]' '(- *)--version[Shows the version]'"]
    return lines + [" " * 12 + ";;", "    esac", "}", f"{function} \"$@\""]


def wrapped(line):
    """An array of zsh with one item a line."""
    start, _, items = line.partition("(")
    indentation = " " * (len(start) - len(start.lstrip()) + 4)
    return [f"{start}("] + [indentation + item for item in re.findall(r"'(?:[^']|'\\'')*'", items)] + [
        indentation[4:] + ")"]


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    if len(sys.argv) != 3:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        sys.exit(64)
    folder, output = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    programs = [(read_program(folder, name), program_page) for name in ("tfi-consumer", "tfi-producer")]
    programs.append((read_tool(folder, "kafkawire"), tool_page))
    for program, page in programs:
        write(output / f"{program.name}.1", page(program, date))
        write(output / "bash" / program.name, bash_completion(program))
        write(output / "zsh" / f"_{program.name}", zsh_completion(program))


main()
