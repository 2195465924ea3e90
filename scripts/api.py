#!/usr/bin/env python3
"""Compares the public interface of the libraries with the one that is checked in.

API/MODULE.txt lists the public interface of MODULE: one declaration or conformance per line, sorted. It is derived
from the symbol graph of a module that is built already, so nothing is compiled.

usage: api.py [MODULE]...           compares; a difference fails (default: every module of API/)
       api.py --update [MODULE]...  writes the files

Options:
  --build FOLDER   the folder with Modules/MODULE.swiftmodule (default: .build/debug)
  --api FOLDER     the folder of the lists (default: API)
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def search_paths(build):
    """The compiler's options to find the modules of a build, and the C libraries that they import."""
    libraries = re.findall(r'pkgConfig: "(.+?)"', (ROOT / "Package.swift").read_text())
    headers = subprocess.run(
        ["pkg-config", "--cflags-only-I", *libraries], check=True, capture_output=True, text=True).stdout.split()
    return ["-I", str(build / "Modules"), "-I", str(ROOT / "Sources"), *headers,
            "-module-cache-path", str(build / "ModuleCache")]


def extract(module, build, directory):
    """Writes the symbol graph of a built module into a directory, and returns its files as parsed JSON."""
    info = json.loads(subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True).stdout)
    command = [
        "swift", "symbolgraph-extract", "-module-name", module, "-target", info["target"]["triple"],
        *search_paths(build), "-minimum-access-level", "public", "-skip-synthesized-members",
        "-output-dir", str(directory),
    ]
    if not (build / "Modules" / f"{module}.swiftmodule").exists():
        sys.exit(f"api.py: {build} has no module {module}; run `swift build --target {module}`")
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"api.py: cannot extract the symbol graph of {module}:\n{result.stderr}")
    # Extensions of types of other modules are in files of their own: MODULE@OTHER.symbols.json.
    return [json.loads(path.read_text()) for path in directory.glob("*.symbols.json")]


def text_of(fragments):
    """The declaration on one line."""
    return re.sub(r"\s+", " ", "".join(fragment["spelling"] for fragment in fragments)).strip()


def constraints_of(constraints):
    """A `where` clause; empty without constraints."""
    signs = {"conformance": ": ", "superclass": ": ", "sameType": " == "}
    shown = sorted(item["lhs"] + signs.get(item["kind"], f" {item['kind']} ") + item["rhs"] for item in constraints)
    return " where " + ", ".join(shown) if shown else ""


def reduce(graphs):
    """The sorted lines for symbol graphs: `KIND  QUALIFIED NAME  DECLARATION`, and `conformance  TYPE: PROTOCOL`."""
    names = {}
    relations = collections.defaultdict(set)
    lines = set()
    for graph in graphs:
        for symbol in graph["symbols"]:
            names[symbol["identifier"]["precise"]] = ".".join(symbol["pathComponents"])
        for relation in graph["relationships"]:
            relations[relation["source"]].add(relation["kind"])
    for graph in graphs:
        module = graph["module"]["name"]
        for symbol in graph["symbols"]:
            identifier = symbol["identifier"]["precise"]
            if "::SYNTHESIZED::" in identifier:
                continue
            kind = symbol["kind"]["identifier"].removeprefix("swift.")
            if "requirementOf" in relations[identifier]:
                # Types outside of the package have to implement it, so a new one may break them.
                kind = "requirement." + kind
            extension = symbol.get("swiftExtension", {})
            qualified = ".".join([extension.get("extendedModule", module), *symbol["pathComponents"]])
            declaration = text_of(symbol["declarationFragments"]) + constraints_of(extension.get("constraints", []))
            deprecated = [item for item in symbol.get("availability", []) if item.get("isUnconditionallyDeprecated")]
            lines.add(f"{kind}  {qualified}  {declaration}{'  (deprecated)' if deprecated else ''}")
        for relation in graph["relationships"]:
            # The targets of a conformance may be in another module, whose symbols are not in the graph.
            if relation["kind"] in ("conformsTo", "inheritsFrom"):
                # Every sendable type conforms to this one, too.
                if relation.get("targetFallback") == "Swift.SendableMetatype":
                    continue
                source = names.get(relation["source"]) or relation.get("sourceFallback", relation["source"])
                target = names.get(relation["target"]) or relation.get("targetFallback", relation["target"])
                clause = constraints_of(relation.get("swiftConstraints", []))
                lines.add(f"conformance  {qualify(source, relation['source'], names, module)}: {target}{clause}")
    return sorted(lines)


def qualify(name, identifier, names, module):
    """A type's name with its module. A fallback of the graph already has it."""
    return f"{module}.{name}" if identifier in names else name


def key_of(line):
    """What identifies a declaration whose signature may change: its kind and name; a conformance is its own key."""
    return tuple(line.split("  ")[:2])


def compare(old, new):
    """Descriptions of the differences: those that break users of the interface, and those that only add to it."""
    removed, added = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    replacements = collections.defaultdict(list)
    for line in added:
        replacements[key_of(line)].append(line)
    breaking, additions = [], []
    for line in removed:
        candidates = replacements.get(key_of(line), [])
        if candidates:
            successor = candidates.pop(0)
            added.remove(successor)
            breaking.append(f"changed: {line}\n     to: {successor}")
        else:
            breaking.append(f"removed: {line}")
    for line in added:
        # A type without the requirement, or a switch without the case, no longer compiles.
        if line.startswith(("requirement.", "enum.case")):
            breaking.append(f"added, which breaks types that conform or switches: {line}")
        else:
            additions.append(f"added: {line}")
    return breaking, additions


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / ".build/debug")
    parser.add_argument("--api", type=pathlib.Path, default=ROOT / "API")
    options = parser.parse_args()
    modules = options.modules or sorted(path.stem for path in options.api.glob("*.txt"))
    if not modules:
        sys.exit(f"api.py: {options.api} has no lists")
    breaks = differs = False
    for module in modules:
        with tempfile.TemporaryDirectory() as directory:
            lines = reduce(extract(module, options.build, pathlib.Path(directory)))
        file = options.api / f"{module}.txt"
        if options.update:
            file.parent.mkdir(exist_ok=True)
            file.write_text("".join(line + "\n" for line in lines))
            print(f"{file}: {len(lines)} lines")
            continue
        if not file.exists():
            sys.exit(f"api.py: {file} does not exist; create it with scripts/api.py --update {module}")
        breaking, additions = compare(file.read_text().splitlines(), lines)
        for title, differences in (("breaking", breaking), ("additions", additions)):
            if differences:
                print(f"{module}: {title}", *(f"  {text}" for text in differences), sep="\n")
        breaks = breaks or bool(breaking)
        differs = differs or bool(breaking or additions)
        if not breaking and not additions:
            print(f"{module}: {len(lines)} lines, as in {file.name}")
    if breaks:
        sys.exit("api.py: the public interface breaks its users; if that is intended, run scripts/api.py --update "
                 "and describe the change in CHANGELOG.md")
    if differs:
        sys.exit("api.py: the public interface has grown; review the additions and run scripts/api.py --update")


if __name__ == "__main__":
    main()
