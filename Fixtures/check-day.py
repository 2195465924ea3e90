#!/usr/bin/env python3
"""Compares the views of a database with Fixtures/day/expected.json, after the day has been replayed into it.

With --load it first fills the tables from the CSV files by \\copy, to test the views without a broker. Needs psql, and
the schema that `tfi-consumer init` creates. Exits with 0 if every view has the expected rows, otherwise with 1.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

TABLES = {"ucp": "unit_collection_point.csv", "uc": "unit_concern.csv"}


def psql(options, command):
    program = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
    program += ["--dbname", options.database] if options.database else []
    result = subprocess.run([*program, "--command", command], stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"psql ended with status {result.returncode}")
    return result.stdout.splitlines()


def main():
    parser = argparse.ArgumentParser(description="Compares the views of a database with Fixtures/day/expected.json.")
    parser.add_argument("--database", help="a PostgreSQL URI (default: by the PG* environment)")
    parser.add_argument("--schema", default="workshop")
    parser.add_argument("--directory", type=Path, default=Path(__file__).parent / "day")
    parser.add_argument("--load", action="store_true", help="first fill the tables ucp and uc from the CSV files")
    options = parser.parse_args()
    schema = '"' + options.schema.replace('"', '""') + '"'

    if options.load:
        for table, name in TABLES.items():
            path = str(options.directory / name).replace("'", "''")
            psql(options, f"\\copy {schema}.{table} from '{path}' with (format csv, header)")

    failed = []
    for view, expected in json.loads((options.directory / "expected.json").read_text()).items():
        order = ", ".join(str(column + 1) for column in range(len(expected[0])))
        lines = psql(options, f"SELECT row_to_json(r) FROM (SELECT * FROM {schema}.{view} ORDER BY {order}) AS r")
        found = [list(json.loads(line).values()) for line in lines]
        if found == expected:
            continue
        failed.append(view)
        print(f"{view}:")
        for row in expected:
            if row not in found:
                print(f"  missing: {row}")
        for row in found:
            if row not in expected:
                print(f"  not expected: {row}")
    if failed:
        sys.exit(f"not as expected: {', '.join(failed)}")
    print("every view is as expected")


if __name__ == "__main__":
    main()
