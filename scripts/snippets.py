#!/usr/bin/env python3
"""Type-checks the Swift code in the documentation against modules that are built already.

It takes the blocks that are marked ```swift in README.md, in docs, in the DocC articles and in doc comments. Errors
name the line of the document. The conventions:

- The blocks of a document build on each other: a block sees what the blocks above it declare, and may declare a name
  again. A block may be statements, with `try` and `await`, or declarations.
- The examples in the doc comments of a source file are independent of each other.
- Tests/Snippets/Context.swift declares what any block may use without declaring it, such as `client`, and
  Tests/Snippets/DOCUMENT.swift what only the blocks of DOCUMENT.md or DOCUMENT.swift may use.
- `…` stands for code that is left out, and is ignored.
- `<!-- quotes Examples/FOLDER -->` in a document means that its blocks are quoted from the programs of that folder, which
  are compiled anyway: each must occur there, apart from its indentation.
- A block whose first line is `// Package.swift` holds arguments of `Package(…)`. They are part of the manifest of a
  package beside this one, whose dependencies SwiftPM then resolves.

usage: snippets.py [--build FOLDER] [FILE]...   (default: all documents, and .build/debug)
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import api

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTEXT = ROOT / "Tests/Snippets"
MODULES = ("KafkaWire", "KafkaFake", "PGWire")
SETTINGS = ("-swift-version", "6", "-enable-experimental-feature", "Lifetimes")
MANIFEST = "// Package.swift"
QUOTES = re.compile(r"<!-- quotes (Examples/\w+) -->")


class Block:
    """The code of a block; its first line has the number `line` in the document."""

    def __init__(self, line, code):
        self.line = line
        self.code = code


def documents():
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").glob("*.md"))
    yield from sorted((ROOT / "Sources").glob("*/*.docc/**/*.md"))
    for module in MODULES:
        yield from sorted((ROOT / "Sources" / module).glob("**/*.swift"))


def blocks_of(text, is_source):
    """The blocks marked ```swift, of a document or of the doc comments of a source file."""
    blocks = []
    code = None
    for number, line in enumerate(text.splitlines(), 1):
        if is_source:
            comment = re.match(r"\s*///( |$)", line)
            if not comment:
                code = None
                continue
            line = line[comment.end():]
        if code is None:
            fence = re.fullmatch(r"\s*```(.*?)\s*", line)
            if fence:
                # Code of other kinds is read as well, so that its end is not taken for a beginning.
                code = []
                if fence[1] == "swift":
                    blocks.append(Block(number + 1, code))
        elif line.strip() == "```":
            code = None
        else:
            code.append(line)
    return blocks


def program(name, groups, context):
    """A source file with one function for each group of blocks. A block is nested in the one above it."""
    imports, functions = [], []
    for group in groups:
        body = []
        for block in group:
            body.append("do {")
            body.append(f'#sourceLocation(file: "{name}", line: {block.line})')
            for line in block.code:
                if re.match(r"import \w+$", line):
                    imports.append(line)
                    line = ""
                body.append(line.replace("…", " "))
            body.append("#sourceLocation()")
        body += ["}"] * len(group)
        functions += [f"func snippet{len(functions)}() async throws {{", *body, "}"]
    lines = [*dict.fromkeys([f"import {module}" for module in MODULES] + imports), *functions]
    if context.exists():
        lines += [f'#sourceLocation(file: "{context.relative_to(ROOT)}", line: 1)', context.read_text(),
                  "#sourceLocation()"]
    return "\n".join(lines) + "\n"


def check_manifest(name, block, folder):
    """Resolves the dependencies of a package whose manifest has the block's arguments."""
    package = folder / "app"
    (package / "Sources/App").mkdir(parents=True, exist_ok=True)
    (package / "Sources/App/main.swift").write_text("import KafkaWire\n")
    beside = folder / "tfi-consumer"
    if not beside.exists():
        beside.symlink_to(ROOT)
    (package / "Package.swift").write_text("\n".join([
        "// swift-tools-version: 6.2", "import PackageDescription",
        # The directive must not be among the arguments.
        f'#sourceLocation(file: "{name}", line: {block.line - 1})',
        'let package = Package(name: "app", platforms: [.macOS(.v26)],', *block.code, ")", ""]))
    return run("swift", "package", "--package-path", package, "--scratch-path", folder / "build",
               "--disable-sandbox", "show-dependencies")


def is_quoted(name, block, folder):
    """Whether a block occurs in a program of the folder."""
    def lines(text):
        return "\n".join(line.strip() for line in text.strip().splitlines())

    quote = lines("\n".join(block.code))
    found = any(quote in lines(path.read_text()) for path in (ROOT / folder).glob("**/*.swift"))
    if not found:
        sys.stderr.write(f"{name}:{block.line}: error: the code does not occur in {folder}\n")
    return found


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if result.returncode != 0:
        sys.stderr.write(result.stdout + result.stderr)
    return result.returncode == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / ".build/debug")
    options = parser.parse_args()
    count, passed = 0, True
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        sources = []
        for file in [path.resolve() for path in options.files] or list(documents()):
            name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
            text = file.read_text()
            blocks = blocks_of(text, file.suffix == ".swift")
            count += len(blocks)
            quotes = QUOTES.search(text)
            if quotes:
                for block in blocks:
                    passed &= is_quoted(name, block, quotes[1])
                continue
            manifests = [block for block in blocks if block.code and block.code[0].strip() == MANIFEST]
            for block in manifests:
                passed &= check_manifest(name, block, folder)
            blocks = [block for block in blocks if block not in manifests]
            if blocks:
                groups = [[block] for block in blocks] if file.suffix == ".swift" else [blocks]
                sources.append(folder / f"{len(sources)}-{file.stem}.swift")
                sources[-1].write_text(program(name, groups, CONTEXT / f"{file.stem}.swift"))
        if count == 0:
            sys.exit("snippets.py: no block marked ```swift")
        for source in sources:
            passed &= run(
                "swiftc", "-typecheck", "-suppress-warnings", "-parse-as-library", "-module-name", "Snippets", *SETTINGS,
                *api.search_paths(options.build), CONTEXT / "Context.swift", source)
    if not passed:
        sys.exit("snippets.py: the documentation has code that does not compile")
    print(f"{count} blocks of {len(sources)} documents compile")


if __name__ == "__main__":
    main()
