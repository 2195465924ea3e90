#!/usr/bin/env python3
"""Tests api.py with small modules that are compiled here."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import api

BASE = """
public struct Point: Sendable {
    public var x = 0
    public init() {}
    public func move(by distance: Int) {}
    func hidden() {}
}
public protocol Shape {
    associatedtype Unit
    func area(in unit: Unit) -> Double
}
extension Shape { public func double() -> Double { 2 } }
public enum Color { case red }
extension Array where Element == Point { public var total: Int { 0 } }
"""


class APITests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def lines(self, *sources):
        """The list for a module of these source files."""
        (self.folder / "Modules").mkdir(exist_ok=True)
        files = []
        for number, source in enumerate(sources):
            files.append(self.folder / f"{number}.swift")
            files[-1].write_text(source)
        subprocess.run(
            ["swiftc", "-emit-module", "-module-name", "Probe", "-parse-as-library", "-swift-version", "6",
             "-o", self.folder / "Modules/Probe.swiftmodule", *files], check=True)
        with tempfile.TemporaryDirectory() as directory:
            return api.reduce(api.extract("Probe", self.folder, pathlib.Path(directory)))

    def difference(self, old, new):
        """What `compare` says when a text of the base module is replaced."""
        self.assertIn(old, BASE)
        return api.compare(self.lines(BASE), self.lines(BASE.replace(old, new)))

    def test_lists_declarations_with_qualified_names(self):
        lines = self.lines(BASE)
        self.assertIn("method  Probe.Point.move(by:)  func move(by distance: Int)", lines)
        self.assertIn("conformance  Probe.Point: Swift.Sendable", lines)
        self.assertTrue(any(line.startswith("requirement.method  Probe.Shape.area(in:)  ") for line in lines), lines)
        self.assertTrue(any(line.startswith("property  Swift.Array.total  ") for line in lines), lines)
        self.assertTrue(any(line.endswith("where Element == Point") for line in lines), lines)
        self.assertFalse(any("hidden" in line for line in lines), lines)

    def test_order_of_files_and_declarations_does_not_matter(self):
        first, second = BASE.split("public protocol Shape")
        second = "public protocol Shape" + second
        self.assertEqual(self.lines(first, second), self.lines(second, first))
        self.assertEqual(self.lines(BASE), self.lines(second, first))

    def test_removal_breaks(self):
        breaking, additions = self.difference("public func move(by distance: Int) {}", "")
        self.assertEqual(breaking, ["removed: method  Probe.Point.move(by:)  func move(by distance: Int)"])
        self.assertEqual(additions, [])

    def test_changed_parameter_type_breaks(self):
        breaking, additions = self.difference("distance: Int", "distance: Double")
        self.assertEqual(len(breaking), 1)
        self.assertRegex(breaking[0], r"(?s)^changed: .*distance: Int.*to: .*distance: Double")
        self.assertEqual(additions, [])

    def test_lost_access_conformance_and_default_break(self):
        self.assertEqual(len(self.difference("public var x", "var x")[0]), 1)
        self.assertIn("removed: conformance  Probe.Point: Swift.Sendable",
                      self.difference("Point: Sendable", "Point")[0])
        old = self.lines("public func f(_ value: Int = 1) {}")
        self.assertEqual(len(api.compare(old, self.lines("public func f(_ value: Int) {}"))[0]), 1)

    def test_added_function_is_an_addition(self):
        breaking, additions = self.difference("func hidden()", "public func hidden()")
        self.assertEqual(breaking, [])
        self.assertEqual(additions, ["added: method  Probe.Point.hidden()  func hidden()"])

    def test_added_requirement_and_case_break(self):
        self.assertEqual(len(self.difference("associatedtype Unit", "associatedtype Unit; func name()")[0]), 1)
        self.assertEqual(len(self.difference("case red", "case red, green")[0]), 1)

    def test_body_does_not_matter(self):
        self.assertEqual(self.difference("{ 2 }", "{ 3 }"), ([], []))


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    unittest.main()
