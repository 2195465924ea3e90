#!/usr/bin/env python3
"""Compares the public interface of the libraries with the one that is checked in.

API/MODULE.txt has a line for each public declaration and each conformance of a library, sorted. The compiler's symbol
graph of the debug build is the source, so the package must have been built (`swift build`). A difference fails:

- A line that is gone means that programs which used it don't compile any more.
- A line that is new is an addition. It breaks programs only if it is a requirement of a protocol, or a case of an enum
  that is not @nonexhaustive.

usage: api.py               compares
       api.py --update      writes the files anew; commit them with the change, and describe it in CHANGELOG.md
       api.py --self-test   tests this script
"""

import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ["KafkaWire", "KafkaFake", "PGWire"]
# Of these the compiler derives conformances by itself, and lists some of them or not from version to version.
IMPLICIT = {"Swift.Copyable", "Swift.Escapable", "Swift.SendableMetatype", "Swift.BitwiseCopyable"}


def lines_of(graphs):
    """The lines of a module's interface, from its symbol graph and those of its extensions of other modules."""
    lines = set()
    names = {}
    requirements = set()
    for graph in graphs:
        for symbol in graph["symbols"]:
            names[symbol["identifier"]["precise"]] = ".".join(symbol["pathComponents"])
        requirements |= {link["source"] for link in graph["relationships"] if link["kind"] == "requirementOf"}
    for graph in graphs:
        for symbol in graph["symbols"]:
            if symbol["accessLevel"] not in ("public", "open"):
                continue
            declaration = "".join(fragment["spelling"] for fragment in symbol["declarationFragments"])
            declaration = " ".join(declaration.split())
            extended = symbol.get("swiftExtension", {}).get("extendedModule")
            prefix = "requirement " if symbol["identifier"]["precise"] in requirements else ""
            module = f" (extension of {extended})" if extended and extended != graph["module"]["name"] else ""
            lines.add(f"{names[symbol['identifier']['precise']]}{module} | {prefix}{declaration}")
        for link in graph["relationships"]:
            target = link.get("targetFallback") or names.get(link["target"])
            if link["kind"] in ("conformsTo", "inheritsFrom") and target and target not in IMPLICIT:
                source = names.get(link["source"]) or link.get("sourceFallback") or link["source"]
                conditions = sorted(
                    f"{c['lhs']}: {c['rhs']}" for c in link.get("swiftConstraints", []) if c["kind"] == "conformance"
                )
                where = f" where {', '.join(conditions)}" if conditions else ""
                lines.add(f"{source} | : {target}{where}")
    return sorted(lines)


def header_flags():
    """The compiler's flags for the headers of the C libraries."""
    names = re.findall(r'pkgConfig: "([^"]+)"', (ROOT / "Package.swift").read_text())
    result = subprocess.run(["pkg-config", "--cflags", *names], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"api.py: the headers of the C libraries are missing:\n{result.stderr}")
    return result.stdout.split()


def interface(module):
    """The lines of a built module's interface."""
    modules = ROOT / ".build" / "debug" / "Modules"
    if not (modules / f"{module}.swiftmodule").exists():
        sys.exit(f"api.py: {module} is not built: run swift build first")
    maps = [f"-fmodule-map-file={path}" for path in sorted(ROOT.glob("Sources/*/module.modulemap"))]
    with tempfile.TemporaryDirectory() as folder:
        command = ["swift", "symbolgraph-extract", "-module-name", module, "-I", str(modules)]
        for flag in maps + header_flags():
            command += ["-Xcc", flag]
        command += ["-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", folder]
        command += ["-target", f"{platform.machine()}-unknown-linux-gnu"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"api.py: the interface of {module} can't be read:\n{result.stderr}")
        graphs = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("*.symbols.json"))]
    lines = lines_of(graphs)
    if not lines:
        sys.exit(f"api.py: {module} has no public declaration, which can't be right")
    return lines


def compare(module, known, current):
    """The messages about the differences of two interfaces."""
    gone = sorted(set(known) - set(current))
    new = sorted(set(current) - set(known))
    return [f"{module}: gone or changed, which breaks programs that use it: {line}" for line in gone] + [
        f"{module}: new: {line}" for line in new
    ]


def self_test():
    def symbol(identifier, path, declaration, access="public"):
        return {
            "identifier": {"precise": identifier},
            "pathComponents": path.split("."),
            "declarationFragments": [{"spelling": part} for part in declaration.split("~")],
            "accessLevel": access,
        }

    def graph(*symbols, links=()):
        return {"module": {"name": "M"}, "symbols": list(symbols), "relationships": list(links)}

    a = symbol("a", "A", "struct~ ~A")
    f = symbol("f", "A.f(x:)", "func~ f(x: Int)")
    changed = symbol("f", "A.f(x:)", "func~ f(x: Int64)")
    hidden = symbol("h", "A.h", "var h: Int", access="internal")
    hashable = {"kind": "conformsTo", "source": "a", "target": "s:SH", "targetFallback": "Swift.Hashable"}
    implicit = {"kind": "conformsTo", "source": "a", "target": "s:c", "targetFallback": "Swift.Copyable"}
    needed = {"kind": "requirementOf", "source": "f", "target": "a"}
    whole = lines_of([graph(a, f, hidden, links=[hashable, implicit])])
    assert whole == ["A | : Swift.Hashable", "A | struct A", "A.f(x:) | func f(x: Int)"], whole
    assert lines_of([graph(f, a, links=[hashable])]) == whole, "the order must not matter"
    assert compare("M", whole, whole) == []
    assert compare("M", whole, lines_of([graph(a, links=[hashable])])) == [
        "M: gone or changed, which breaks programs that use it: A.f(x:) | func f(x: Int)"
    ]
    assert len(compare("M", whole, lines_of([graph(a, changed, links=[hashable])]))) == 2
    assert compare("M", whole, lines_of([graph(a, f)])) == [
        "M: gone or changed, which breaks programs that use it: A | : Swift.Hashable"
    ]
    assert lines_of([graph(a, f, links=[needed])])[1] == "A.f(x:) | requirement func f(x: Int)"


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return self_test()
    if arguments not in ([], ["--update"]):
        sys.exit(__doc__)
    messages = []
    for module in MODULES:
        path = ROOT / "API" / f"{module}.txt"
        current = interface(module)
        if arguments == ["--update"]:
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(current) + "\n")
        else:
            known = path.read_text().splitlines() if path.exists() else []
            messages += compare(module, known, current)
    for message in messages:
        print(message)
    if messages:
        sys.exit("The public interface has changed. If that is intended, run scripts/api.py --update and commit API/.")


main()
