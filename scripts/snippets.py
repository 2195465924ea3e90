#!/usr/bin/env python3
"""Type-checks the Swift code of the documents and of the doc comments, against the debug build.

Checked are the blocks that begin with ```swift in README.md, docs, the DocC articles and the doc comments of the libraries:

- A block is the body of an async throwing function. Its imports and what Tests/Snippets/Context.swift declares precede it:
  a client, a consumer and so on, and the reader's own code, such as `handle(batch)`.
- An ellipsis (…) stands for the reader's code and is left out.
- A block that begins with `dependencies:` is a part of a package manifest.

An error names the line of the document. The package must have been built (`swift build`).

usage: snippets.py
"""

import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ["KafkaWire", "KafkaFake", "PGWire", "IngestEngine"]
IMPORTS = ["KafkaFake", "KafkaWire", "PGWire"]
MARK = re.compile(r"^(\s*(?:///)?\s*)```(\w*)\s*$")


def blocks_of(path):
    """The Swift blocks of a file: pairs of the first line's number and the lines."""
    start, lines, indent = None, [], ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = MARK.match(line)
        if start is None:
            if mark and mark.group(2) == "swift":
                start, lines, indent = number + 1, [], mark.group(1)
            elif mark and not path.suffix == ".swift" and mark.group(2):
                start, lines, indent = -1, [], mark.group(1)
        elif mark and not mark.group(2):
            if start > 0:
                yield start, lines
            start = None
        else:
            lines.append(line[len(indent) :] if line.startswith(indent) else line.strip().removeprefix("///"))
    if start is not None:
        sys.exit(f"{path}: the block from line {start} has no end")


def manifest_errors(path, number, lines, folder):
    """Has SwiftPM read a block as a part of a manifest."""
    text = "\n".join(["// swift-tools-version: 6.2", "import PackageDescription", "let package = Package("])
    (folder / "Package.swift").write_text(f'{text}\n    name: "App",\n' + "\n".join(lines) + "\n)\n")
    result = subprocess.run(
        ["swift", "package", "--package-path", str(folder), "dump-package"], capture_output=True, text=True, check=False
    )
    return [] if result.returncode == 0 else [f"{path}:{number}: no part of a manifest:\n{result.stderr}"]


def function(path, number, lines, index):
    """A file whose only function is a block."""
    imports = [line for line in lines if re.match(r"^import \w+$", line)]
    body = ["" if line in imports else line.replace("…", "") for line in lines]
    known = [f"import {name}" for name in IMPORTS if f"import {name}" not in imports]
    # Written as one line, so that errors have the lines of the document.
    head = f'#sourceLocation(file: "{path}", line: {number})'
    return "\n".join([*known, *imports, f"func snippet{index}() async throws {{", head, *body, "#sourceLocation()", "}", ""])


def flags():
    modules = ROOT / ".build" / "debug" / "Modules"
    if not (modules / "KafkaWire.swiftmodule").exists():
        sys.exit("snippets.py: the package is not built: run swift build first")
    names = re.findall(r'pkgConfig: "([^"]+)"', (ROOT / "Package.swift").read_text())
    headers = subprocess.run(["pkg-config", "--cflags", *names], capture_output=True, text=True, check=True).stdout.split()
    maps = [f"-fmodule-map-file={path}" for path in sorted(ROOT.glob("Sources/*/module.modulemap"))]
    result = ["-swift-version", "6", "-parse-as-library", "-module-name", "Snippets", "-I", str(modules)]
    result += ["-target", f"{platform.machine()}-unknown-linux-gnu", "-suppress-warnings"]
    for flag in maps + headers:
        result += ["-Xcc", flag]
    return result


def main():
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    paths = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("Sources/*/*.docc/**/*.md"))]
    for source in SOURCES:
        paths += sorted(ROOT.glob(f"Sources/{source}/**/*.swift"))
    errors, files = [], [ROOT / "Tests" / "Snippets" / "Context.swift"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in paths:
            shown = path.relative_to(ROOT)
            for number, lines in blocks_of(path):
                if lines and lines[0].startswith("dependencies:"):
                    errors += manifest_errors(shown, number, lines, folder)
                    continue
                files.append(folder / f"Snippet{len(files)}.swift")
                files[-1].write_text(function(shown, number, lines, len(files)))
        if len(files) < 10:
            sys.exit("snippets.py: hardly any block was found, so their marks must have changed")
        result = subprocess.run(
            ["swiftc", "-typecheck", *flags(), *map(str, files)], capture_output=True, text=True, check=False
        )
    if result.returncode != 0:
        errors.append(result.stdout + result.stderr)
    if errors:
        sys.exit("\n".join(errors))
    print(f"{len(files) - 1} blocks of code compile")


main()
