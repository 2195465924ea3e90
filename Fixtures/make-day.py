#!/usr/bin/env python3
"""Generates a plant's day: Fixtures/day/unit_collection_point.csv, unit_concern.csv and expected.json.

`tfi-producer replay` sends the CSV files. expected.json has the rows of each view of `tfi-consumer init` afterwards,
computed here from the messages without SQL: {view: [[column, …], …]}. The rows are sorted by their columns from left to
right (in SQL: ORDER BY 1, 2, …). A day is an ISO 8601 string; all other columns are numbers.

The same seed gives the same bytes with any Python from 3.8 on, because only random() is used, whose sequence is the
same everywhere. --check generates the day and compares it with the files instead of writing them.
"""

import argparse
import json
import random
import sys
from pathlib import Path

DAY = "2024-03-12"
# Times are integers: tenths of a second since midnight.
SECOND = 10
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SHIFT_BEGIN, SHIFT_END = 8 * HOUR, 17 * HOUR
BREAKS = [
    (9 * HOUR + 40 * MINUTE, 9 * HOUR + 50 * MINUTE),
    (12 * HOUR, 12 * HOUR + 30 * MINUTE),
    (14 * HOUR + 40 * MINUTE, 14 * HOUR + 50 * MINUTE),
]

# The line: zones in the order in which a unit passes them, each with its collection points.
LINE = [
    (3, [11, 12, 13, 14]),
    (6, [15, 16, 17]),
    (16, [18, 19, 21, 22, 23]),
    (19, [24, 26, 27]),
    (23, [30, 31, 33, 34]),
    (25, [46, 47, 48, 49]),
    (31, [51, 52, 53]),
    (38, [54, 55, 56, 58, 59]),
    (44, [66, 68, 70]),
    (47, [71, 72, 73, 74]),
    (52, [77, 78, 80]),
    (56, [81, 82, 83, 86]),
    (63, [88, 89, 90]),
    (68, [36, 38, 40]),
]
LAST_COLLECTION_POINT = 40
REWORK_ZONE, REWORK_IN, REWORK_OUT = 81, 101, 102
# The collection points with an inspection. Its concerns are charged to this zone or to an earlier one.
INSPECTIONS = {14, 17, 23, 27, 34, 49, 53, 59, 70, 74, 80, 86, 90, 38}

TAKT = int(4.15 * MINUTE)
FIRST_UNIT_ID = 71_204_310

# The planned running total at the end of each hour: the plan that `init` puts into an empty table.
PLAN = {8: 13, 9: 27, 10: 41, 11: 55, 12: 65, 13: 72, 14: 86, 15: 100, 16: 110}


class Chance:
    """Random choices that only use random()."""

    def __init__(self, seed):
        self._random = random.Random(seed).random

    def happens(self, probability):
        return self._random() < probability

    def between(self, low, high):
        """An integer from low to high, inclusive."""
        return low + int(self._random() * (high - low + 1))

    def one_of(self, things):
        return things[int(self._random() * len(things))]


class Clock:
    """Converts working time, which excludes breaks and stops of the line, to the time of day."""

    def __init__(self, chance):
        stops = list(BREAKS)
        for _ in range(5):
            begin = chance.between(SHIFT_BEGIN, SHIFT_END - 30 * MINUTE)
            stops.append((begin, begin + chance.between(1 * MINUTE, 6 * MINUTE)))
        self._stops = sorted(stops)

    def time_of_day(self, working):
        """The time of day; None if it is before or after the shift."""
        if working < 0:
            return None
        time = SHIFT_BEGIN + working
        standing_until = SHIFT_BEGIN
        for begin, end in self._stops:
            begin = max(begin, standing_until)
            if time >= begin and end > begin:
                time += end - begin
                standing_until = end
        return time if time < SHIFT_END else None


def make_day(seed):
    """Generates passages (time, unit, collection point, zone) and concerns (time, unit, point, concern, zone)."""
    chance = Chance(seed)
    clock = Clock(chance)
    passages, concerns = [], []

    def passes(unit, working, point, zone):
        time = clock.time_of_day(working)
        if time is None:
            return
        passages.append((time, unit, point, zone))
        # Occasionally a message is sent twice, or a reader reads a unit twice.
        if chance.happens(0.006):
            again = min(time + chance.one_of([0, 0, 4, 13, 27]), SHIFT_END - 1)
            passages.append((again, unit, point, zone))

    def has_concern(unit, working, point, concern, zone):
        time = clock.time_of_day(working)
        if time is None:
            return
        concerns.append((time, unit, point, concern, zone))
        if chance.happens(0.01):
            concerns.append((time, unit, point, concern, zone))

    def travel(unit, working):
        troublesome = chance.happens(0.5)
        zones_so_far = []
        for zone, points in LINE:
            zones_so_far.append(zone)
            for point in points:
                working += TAKT + chance.between(-25 * SECOND, 25 * SECOND)
                passes(unit, working, point, zone)
                if point not in INSPECTIONS or not chance.happens(0.25 if troublesome else 0.03):
                    continue
                found = working
                for _ in range(chance.one_of([1, 1, 1, 1, 2, 2, 3])):
                    found += chance.between(3 * SECOND, 40 * SECOND)
                    charged = zone if chance.happens(0.4) else chance.one_of(zones_so_far)
                    has_concern(unit, found, point, charged * 4 + chance.between(0, 3), charged)
                if chance.happens(0.2):
                    working = found + chance.between(2 * MINUTE, 6 * MINUTE)
                    passes(unit, working, REWORK_IN, REWORK_ZONE)
                    if chance.happens(0.3):
                        return
                    working += chance.between(10 * MINUTE, 60 * MINUTE)
                    passes(unit, working, REWORK_OUT, REWORK_ZONE)
        # A few units return from the yard and pass the end of the line again, possibly in another hour.
        if chance.happens(0.04):
            working += chance.between(20 * MINUTE, 90 * MINUTE)
            passes(unit, working, LAST_COLLECTION_POINT, LINE[-1][0])

    # The line is full when the shift begins: the first units entered it on the previous day.
    stations = sum(len(points) for _, points in LINE)
    unit = FIRST_UNIT_ID
    for number in range(-2 * stations, (SHIFT_END - SHIFT_BEGIN) // TAKT):
        unit += 10 * chance.between(1, 4)
        travel(unit, number * TAKT + chance.between(0, 30 * SECOND))
    return sorted(passages), sorted(concerns)


# MARK: Expected views


def expected_views(passages, concerns):
    """The rows of each view. Everything happens on one day, DAY."""
    produced_at = {}
    for time, unit, point, _ in passages:
        if point == LAST_COLLECTION_POINT:
            produced_at[unit] = min(time, produced_at.get(unit, time))
    concerned = {unit for _, unit, _, _, _ in concerns}
    nok = concerned - produced_at.keys()
    without_concern = len(produced_at.keys() - concerned)

    produced_per_hour = tally(time // HOUR for time in produced_at.values())
    production = []
    total = 0
    for hour in range(min(*PLAN, *produced_per_hour), max(produced_per_hour) + 1):
        total += produced_per_hour.get(hour, 0)
        reached = [units for planned, units in PLAN.items() if planned <= hour]
        production.append([DAY, hour, total, max(reached, default=None)])

    zone_of_unit = {(zone, unit) for _, unit, _, zone in passages}
    charged = {(zone, unit) for _, unit, _, _, zone in concerns}
    found_at = {(point, unit) for _, unit, point, _, _ in concerns}
    in_hour = {(time // HOUR, unit) for time, unit, _, _, _ in concerns}

    def rows(pairs):
        return [[key, units] for key, units in tally(key for key, _ in pairs).items()]

    def rows_of_day(pairs):
        return [[DAY, *row] for row in rows(pairs)]

    views = {
        "tile_total": [[DAY, len(produced_at)]],
        "tile_nok": [[DAY, len(nok)]],
        "tile_units_per_hour": [[DAY, hour, units] for hour, units in produced_per_hour.items()],
        "tile_current_production": production,
        "tile_units_per_zone": rows_of_day(zone_of_unit),
        "tile_nok_per_zone": rows_of_day(pair for pair in charged if pair[1] in nok),
        "tile_not_ok_by_cp": rows_of_day(pair for pair in found_at if pair[1] in nok),
        "tile_concerns_per_hour": rows_of_day(in_hour),
        "tile_throughput": [[DAY, len(produced_at), without_concern, without_concern / len(produced_at)]],
        "unit_totals": rows(zone_of_unit),
        "fail_totals": rows(charged),
    }
    return {view: sorted(content) for view, content in views.items()}


def tally(keys):
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts


# MARK: Files


def csv_text(header, rows):
    return "".join(line + "\n" for line in [header, *rows])


def timestamp(time):
    seconds, tenths = divmod(time, SECOND)
    return f"{DAY} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{tenths}"


def json_text(views):
    """JSON with one line per row, for readable differences."""
    parts = []
    for view, rows in views.items():
        lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
        parts.append(f"  {json.dumps(view)}: [\n{lines}\n  ]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def files(seed):
    passages, concerns = make_day(seed)
    return {
        "unit_collection_point.csv": csv_text(
            "qls_unit_id,unit_collection_pt_timestamp,collection_point_id,zone_id",
            [f"{unit},{timestamp(time)},{point},{zone}" for time, unit, point, zone in passages],
        ),
        "unit_concern.csv": csv_text(
            "qls_unit_id,unit_collection_pt_timestamp,collection_point_id,concern_id,zone_charged_id",
            [f"{unit},{timestamp(time)},{point},{concern},{zone}" for time, unit, point, concern, zone in concerns],
        ),
        "expected.json": json_text(expected_views(passages, concerns)),
    }


def main():
    parser = argparse.ArgumentParser(description="Generates a plant's day, and the rows that the views must show.")
    parser.add_argument("--seed", type=int, default=4, help="the seed of the random choices (default: 4)")
    parser.add_argument(
        "--directory", type=Path, default=Path(__file__).parent / "day", help="default: the folder day beside this")
    parser.add_argument("--check", action="store_true", help="compare with the existing files instead of writing them")
    options = parser.parse_args()

    different = []
    for name, text in files(options.seed).items():
        path = options.directory / name
        if not options.check:
            options.directory.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            print(f"{path}: {text.count(chr(10))} lines")
        elif not path.is_file() or path.read_bytes() != text.encode():
            different.append(str(path))
    if different:
        sys.exit(f"seed {options.seed} gives a different {', '.join(different)}; to update: Fixtures/make-day.py")
    if options.check:
        print(f"{options.directory} matches the output for seed {options.seed}")


if __name__ == "__main__":
    main()
