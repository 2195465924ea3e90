#!/usr/bin/env python3
"""Checks that no folder of a target uses a folder that it may not use.

ARCHITECTURE.md has the rules: a line `<!-- layers of FOLDER -->` and then a table, whose first column names a folder
and whose second column names the folders that it may use. A folder may use only folders listed above it, so the
rules can't contain a cycle; and a folder that it does not use must not be named. Files directly in FOLDER are called `(root)`.

A use is the name of a type, a protocol or a function that is declared at the top level of a file in another folder, or
of a member that an extension in another folder adds to a type of the standard library. An extension must be in the
folder of the type that it extends, unless nothing outside of its file can see its members.

usage: layers.py [FILE]   (default: ARCHITECTURE.md beside the folder of this script)
"""

import collections
import pathlib
import re
import sys

ROOT = "(root)"
MODIFIERS = r"(?:@\w+(?:\([^)]*\))?\s+|(?:public|package|internal|private|fileprivate|final|indirect|nonisolated)\s+)*"
TYPE = re.compile(r"^" + MODIFIERS + r"(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)")
FUNCTION = re.compile(r"^" + MODIFIERS + r"func\s+(\w+)")
EXTENSION = re.compile(r"^(" + MODIFIERS + r")extension\s+\[?\s*(\w+)")
NESTED = re.compile(r"\b(?:struct|class|enum|actor|protocol|typealias|associatedtype)\s+(\w+)")
MEMBER = re.compile(
    r"^\s+((?:@\w+(?:\([^)]*\))?\s+|[a-z]+(?:\(set\))?\s+)*)(?:func|var|let|init|subscript|case)\b\s*`?(\w*)"
)


def code_of(text):
    """The text without comments and string literals; the code of interpolations stays. Lines keep their numbers."""
    code = []
    position = 0
    # For each string literal that is open around the position: its delimiter, and the depth of parentheses within
    # the interpolation that is being read.
    strings = []

    def skip_string(delimiter, position):
        """Reads to the end of a literal, or to an interpolation in it. Returns the position behind."""
        while position < len(text):
            if text.startswith(delimiter, position):
                return position + len(delimiter), False
            if text.startswith("\\(", position):
                return position + 2, True
            if text[position] == "\\":
                position += 1
            elif text[position] == "\n":
                code.append("\n")
            position += 1
        return position, False

    while position < len(text):
        if text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position)
            end = len(text) if end < 0 else end + 2
            code.append("\n" * text.count("\n", position, end))
            position = end
        elif text[position] == '"':
            delimiter = '"""' if text.startswith('"""', position) else '"'
            position, isInterpolation = skip_string(delimiter, position + len(delimiter))
            if isInterpolation:
                strings.append([delimiter, 0])
            code.append(" ")
        elif strings and text[position] == "(":
            strings[-1][1] += 1
            code.append("(")
            position += 1
        elif strings and text[position] == ")":
            if strings[-1][1] == 0:
                position, isInterpolation = skip_string(strings[-1][0], position + 1)
                if not isInterpolation:
                    strings.pop()
                code.append(" ")
            else:
                strings[-1][1] -= 1
                code.append(")")
                position += 1
        else:
            code.append(text[position])
            position += 1
    return "".join(code)


class SourceFile:
    def __init__(self, path, folder):
        self.path = path
        self.folder = folder
        self.code = code_of(path.read_text())
        self.lines = self.code.split("\n")
        self.nested = set(NESTED.findall(self.code))

    def extensions(self):
        """Each extension: its line number, its modifiers, the type's name, and its members with their modifiers."""
        for number, line in enumerate(self.lines, 1):
            match = EXTENSION.match(line)
            if not match:
                continue
            depth = 0
            members = []
            for body in self.lines[number - 1 :]:
                if depth == 1:
                    member = MEMBER.match(body)
                    if member:
                        members.append((member.group(1), member.group(2)))
                depth += body.count("{") - body.count("}")
                if depth == 0 and "}" in body:
                    break
            yield number, match.group(1), match.group(2), members


class Target:
    """One folder of sources, and the rules for the folders in it."""

    def __init__(self, path, rules, architecture):
        self.path = path
        self.rules = rules
        self.architecture = architecture
        self.errors = []
        order = list(rules)
        for folder, used in rules.items():
            for name in used:
                if name not in rules:
                    self.errors.append(f"{architecture}: {folder} may use {name}, which has no line of its own")
                elif order.index(name) >= order.index(folder):
                    self.errors.append(f"{architecture}: {folder} may use {name}, which is not listed above it")
        self.files = []
        for file in sorted(path.rglob("*.swift")):
            parts = file.relative_to(path).parts
            folder = parts[0] if len(parts) > 1 else ROOT
            if folder not in rules:
                self.errors.append(f"{architecture} has no line for {folder}, which {file} is in")
                continue
            self.files.append(SourceFile(file, folder))
        self.find_declarations()

    def find_declarations(self):
        self.declarations = collections.defaultdict(list)
        self.members = collections.defaultdict(list)
        own_members = set()
        for file in self.files:
            for line in file.lines:
                match = TYPE.match(line) or FUNCTION.match(line)
                if match and not re.match(r"^(?:private|fileprivate)\b", line):
                    self.declarations[match.group(1)].append(file)
        for file in self.files:
            in_foreign = False
            for line in file.lines:
                match = EXTENSION.match(line)
                if match:
                    in_foreign = match.group(2) not in self.declarations
                elif line.startswith("}"):
                    in_foreign = False
                member = MEMBER.match(line)
                if member and not in_foreign:
                    own_members.add(member.group(2))
            for _, modifiers, name, members in file.extensions():
                if name in self.declarations or "private" in modifiers:
                    continue
                for member_modifiers, member in members:
                    if member and "private" not in member_modifiers:
                        self.members[member].append(file)
        # A name that types of the target have too may mean one of those.
        for name in own_members:
            self.members.pop(name, None)

    def check(self):
        self.used = collections.defaultdict(set)
        for file in self.files:
            allowed = set(self.rules[file.folder]) | {file.folder}
            self.check_uses(file, allowed)
            self.check_extensions(file)
        for folder, allowed in self.rules.items():
            for name in allowed:
                if name not in self.used[folder]:
                    self.errors.append(f"{self.architecture}: {folder} may use {name}, but does not: remove it there")
        return self.errors

    def check_uses(self, file, allowed):
        reported = set()
        for number, line in enumerate(file.lines, 1):
            for match in re.finditer(r"(\.?)\b([A-Za-z_]\w*)\b(\s*\()?", line):
                name = match.group(2)
                if match.group(1):
                    candidates = self.members.get(name, [])
                elif name in file.nested:
                    continue
                elif name[0].islower() and not match.group(3):
                    continue
                else:
                    candidates = self.declarations.get(name, [])
                if not candidates or name in reported:
                    continue
                homes = {candidate.folder for candidate in candidates}
                if file.folder in homes:
                    continue
                if homes & allowed:
                    self.used[file.folder] |= homes
                    continue
                reported.add(name)
                self.errors.append(
                    f"{file.path}:{number} uses {name} of {candidates[0].path}, "
                    f"but {file.folder} may not use {candidates[0].folder}"
                )

    def check_extensions(self, file):
        for number, modifiers, name, members in file.extensions():
            homes = self.declarations.get(name, [])
            if not homes or any(home.folder == file.folder for home in homes):
                continue
            if "private" in modifiers or members and all("private" in modifiers for modifiers, _ in members):
                continue
            self.errors.append(
                f"{file.path}:{number} extends {name} of {homes[0].path}: "
                f"move the extension to {homes[0].folder}, or make its members fileprivate"
            )


def tables(architecture):
    """The rules in a document: for each folder of sources a table of folders and those that each may use."""
    rules = {}
    target = None
    for line in architecture.read_text().split("\n"):
        marker = re.match(r"^<!-- layers of (\S+) -->$", line)
        if marker:
            target = marker.group(1)
            rules[target] = {}
        elif target and line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            folder = re.match(r"^`([^`]+?)/?`$", cells[0])
            if folder:
                rules[target][folder.group(1)] = [name.rstrip("/") for name in re.findall(r"`([^`]+)`", cells[1])]
        elif target and line and rules[target]:
            target = None
    return rules


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    architecture = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "ARCHITECTURE.md"
    rules = tables(architecture)
    if not rules:
        sys.exit(f"{architecture} has no line '<!-- layers of FOLDER -->' with a table below it")
    errors = []
    for folder, rule in rules.items():
        if not rule:
            errors.append(f"{architecture} has no table below the marker of {folder}")
            continue
        errors += Target((architecture.parent / folder).resolve(), rule, architecture.name).check()
    for error in errors:
        print(error.replace(f"{architecture.resolve().parent}/", ""))
    sys.exit(1 if errors else 0)


main()
