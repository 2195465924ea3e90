#!/usr/bin/env python3
"""The dashboard of Dashboards/superset in a real Superset, with days of the plant.

It starts Postgres, a broker in memory and `./control-env.sh superset`, sends two days through the programs of
TFI_PROGRAMS, and compares the rows that Superset gives to each chart with the tiles. scripts/superset.sh test runs it,
with the Python of Superset's virtual environment.
"""

import csv
import http.cookiejar
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import psycopg2
import yaml

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "Dashboards" / "superset"
DAY = ROOT / "Fixtures" / "day"
PROGRAMS = Path(os.environ.get("TFI_PROGRAMS") or ROOT / ".build" / "release")
REFERENCE = Path(os.environ.get("TFI_REFERENCE_DAY") or ROOT.parent / "shared" / "tfi")
FILES = {"--units": "unit_collection_point.csv", "--concerns": "unit_concern.csv"}
DAY_FIELD = "unit_collection_pt_timestamp"

# Of each chart: its view, the view's columns that it shows, and the names that Superset gives to them.
CHARTS = {
    "Total": ("tile_total", ["units"], ["sum_units"]),
    "NOK": ("tile_nok", ["units"], ["sum_units"]),
    "Units per hour": ("tile_units_per_hour", ["hour", "units"], ["hour", "sum_units"]),
    "Current production": ("tile_current_production", ["hour", "units", "plan"], ["hour", "sum_units", "max_plan"]),
    "Units per zone": ("tile_units_per_zone", ["zone_id", "units"], ["zone_id", "sum_units"]),
    "NOK per zone": ("tile_nok_per_zone", ["zone_charged_id", "units"], ["zone_charged_id", "sum_units"]),
    "Not OK by collection point": (
        "tile_not_ok_by_cp", ["collection_point_id", "units"], ["collection_point_id", "sum_units"]),
    "Concerns per hour": ("tile_concerns_per_hour", ["hour", "units"], ["hour", "sum_units"]),
    "Share without concern": ("tile_throughput", ["share"], ["share_without_concern"]),
}

# The figures of the reference day's own dashboard. Of the last two, only the largest and the sums are known.
REFERENCE_ROWS = {
    "Total": "114",
    "NOK": "88",
    "Units per hour": "8:12 9:14 10:15 11:13 12:12 13:6 14:15 15:16 16:11",
    "Current production": "8:12:13 9:26:27 10:41:41 11:54:55 12:66:65 13:72:72 14:87:86 15:103:100 16:114:110",
    "Units per zone": (
        "9:171 10:164 29:160 42:131 11:129 54:127 57:124 33:120 58:120 75:120 71:117 74:117 72:116 73:116 55:114 27:87 "
        "14:83 5:75 59:39 35:24 8:10 12:10 32:10 34:8 4:3 36:3 20:1 26:1"
    ),
    "Concerns per hour": "8:31 9:20 10:29 11:29 12:22 13:25 14:20 15:23 16:10",
}
REFERENCE_LARGEST = {
    "NOK per zone": ("2:27 64:15 74:13 73:8 57:7 72:6 70:5 4:4 22:4 29:4", 110),
    "Not OK by collection point": ("62:17 43:16 61:13 28:7 32:6", 108),
}


def rows_of(text):
    return [[int(number) for number in row.split(":")] for row in text.split()]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def earlier_day(folder):
    """A day of every second unit of the made-up day, one day earlier and with other units."""
    for name in FILES.values():
        with open(DAY / name, newline="", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))
        with open(folder / name, "w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            for row in rows:
                unit = int(row["qls_unit_id"])
                if unit // 10 % 2:
                    row["qls_unit_id"] = unit + 1_000_000
                    row[DAY_FIELD] = row[DAY_FIELD].replace("2024-03-12", "2024-03-11")
                    writer.writerow(row)
    return folder


# Kills the started processes when this process has ended, for whatever reason.
reaper = subprocess.Popen([ROOT / "scripts" / "reap.sh"], stdin=subprocess.PIPE, bufsize=0, start_new_session=True)


def start(command, environment, output):
    """Starts a program in a process group of its own."""
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, bufsize=0,
        start_new_session=True)
    reaper.stdin.write(f"+{process.pid}\n".encode())
    return process


def ended(process):
    reaper.stdin.write(f"-{process.pid}\n".encode())
    return process.returncode


class Superset:
    """`./control-env.sh superset`, and a session of its REST API."""

    def __init__(self, state, environment):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = start(
            [ROOT / "control-env.sh", "superset", "--port", str(self.port)],
            {**environment, "TFI_ENV_DIR": str(state)}, subprocess.PIPE)
        self.output = ""
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.headers = {}

    def wait(self, seconds=900):
        """Waits for the password, and logs in."""
        deadline = time.monotonic() + seconds
        while "press Ctrl-C" not in self.output:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            text = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not text:
                raise AssertionError(f"Superset did not start: {self.output}")
            self.output += text.decode()
        self.password = re.search(r"^password: +(\S+)", self.output, re.MULTILINE)[1]
        login = {"username": "admin", "password": self.password, "provider": "db", "refresh": True}
        token = self.call("/api/v1/security/login", login)["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Referer": self.address}
        self.headers["X-CSRFToken"] = self.call("/api/v1/security/csrf_token/")["result"]

    def call(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        for name, value in self.headers.items():
            request.add_header(name, value)
        if data:
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=120) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code}: {error.read().decode()}") from error

    def charts(self):
        return {chart["slice_name"]: chart["id"] for chart in self.call("/api/v1/dashboard/plant/charts")["result"]}

    def context(self, chart):
        return json.loads(self.call(f"/api/v1/chart/{chart}")["result"]["query_context"])

    def rows(self, chart, names, day=None):
        """The rows of a chart, for the day that the filter names, or without a filter."""
        if day is None:
            answer = self.call(f"/api/v1/chart/{chart}/data/?force=true")
        else:
            context = self.context(chart)
            for query in context["queries"]:
                query["filters"].append({"col": "day", "op": "IN", "val": [day]})
            answer = self.call("/api/v1/chart/data", {**context, "force": True})
        return [[row[name] for name in names] for row in answer["result"][0]["data"]]

    def end(self):
        """As Ctrl-C in a terminal does; returns the exit status."""
        if self.process.returncode is not None:
            return self.process.returncode
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            rest, _ = self.process.communicate(timeout=60)
            self.output += rest.decode()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        return ended(self.process)


class BundleTests(unittest.TestCase):
    """The files alone."""

    def documents(self, folder=""):
        return {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (BUNDLE / folder).rglob("*.yaml")}

    def test_it_has_no_secrets(self):
        uris = [document["sqlalchemy_uri"] for document in self.documents("databases").values()]
        self.assertEqual(uris, ["postgresql+psycopg2://postgres@127.0.0.1:5432/workshop"])
        secret = re.compile(r"password|secret|token|encrypted_extra|private_key|credential", re.IGNORECASE)
        for path in self.documents():
            self.assertIsNone(secret.search(path.read_text(encoding="utf-8")), path)

    def test_its_parts_belong_together(self):
        charts = self.documents("charts").values()
        self.assertEqual({chart["slice_name"] for chart in charts}, set(CHARTS))
        datasets = {document["uuid"]: document for document in self.documents("datasets").values()}
        [database] = self.documents("databases").values()
        self.assertTrue(all(dataset["database_uuid"] == database["uuid"] for dataset in datasets.values()))
        for chart in charts:
            self.assertEqual(datasets[chart["dataset_uuid"]]["table_name"], CHARTS[chart["slice_name"]][0])
        # Each dataset finds the newest day by the same words.
        conditions = {
            dataset["sql"].split("WHERE day ", 1)[1]
            for dataset in datasets.values() if dataset["table_name"] != "days"
        }
        self.assertEqual(len(conditions), 1)


class DashboardTests(unittest.TestCase):
    """With a database, a broker and Superset."""

    @classmethod
    def setUpClass(cls):
        # Whatever is set for the programs in this shell is not for the test.
        cls.environment = {name: value for name, value in os.environ.items() if not name.startswith("TFI_")}
        cls.environment["TFI_PROGRAMS"] = str(PROGRAMS)
        temporary = tempfile.TemporaryDirectory(prefix="tfi-superset-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)
        # The database's own user has to get to its data below.
        cls.folder.chmod(0o711)
        script = ROOT / "scripts" / "postgres.sh"
        cls.addClassCleanup(subprocess.run, [script, "remove", cls.folder / "postgres"], check=False)
        cls.uri = cls.run_program(script, "up", cls.folder / "postgres", "--owner", str(os.getpid())).splitlines()[-1]
        port = free_port()
        command = [PROGRAMS / "tfi-producer", "fake-broker", "--port", str(port)]
        broker = start(command, cls.environment, subprocess.DEVNULL)
        cls.addClassCleanup(lambda: (broker.wait(), ended(broker)))
        cls.addClassCleanup(broker.kill)
        # An environment as ./control-env.sh start leaves it.
        cls.state = cls.folder / "env"
        cls.state.mkdir()
        for name, text in {"mode": "fake", "bootstrap": f"127.0.0.1:{port}", "uri": cls.uri}.items():
            (cls.state / name).write_text(text + "\n", encoding="utf-8")
        cls.environment.update(TFI_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}", TFI_DATABASE=cls.uri)
        cls.has_reference = (REFERENCE / FILES["--concerns"]).is_file()

    @classmethod
    def run_program(cls, *command):
        result = subprocess.run(
            command, env=cls.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode:
            raise AssertionError(f"{command} ended with {result.returncode}: {result.stderr}")
        return result.stdout

    def replay(self, folder):
        options = [word for option, name in FILES.items() for word in (option, folder / name)]
        self.run_program(PROGRAMS / "tfi-producer", "replay", "--as-fast-as-possible", *options)
        self.run_program(PROGRAMS / "tfi-consumer", "run", "--until-caught-up")

    def query(self, sql, *parameters):
        connection = psycopg2.connect(self.uri)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return [list(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def start(self):
        superset = Superset(self.state, self.environment)
        self.addCleanup(superset.end)
        superset.wait()
        return superset

    def expect(self, superset, tiles, day=None):
        """Every chart shows these rows, by its name."""
        charts = superset.charts()
        self.assertEqual(set(charts), set(CHARTS))
        for name, (_, _, names) in CHARTS.items():
            with self.subTest(chart=name, day=day):
                self.assertEqual(sorted(superset.rows(charts[name], names, day)), sorted(tiles[name]))

    def tiles(self, day):
        """The views' rows of a day, by the names of the charts."""
        return {
            name: self.query(f"SELECT {', '.join(columns)} FROM workshop.{view} WHERE day = %s", day)
            for name, (view, columns, _) in CHARTS.items()
        }

    def test_each_chart_shows_its_tile(self):
        refused = subprocess.run(
            [ROOT / "control-env.sh", "superset", "--port", str(free_port())], text=True, capture_output=True,
            env={**self.environment, "TFI_ENV_DIR": str(self.state)}, check=False)
        self.assertEqual(refused.returncode, 78)
        self.assertIn("run ./control-env.sh consumer init", refused.stderr)

        self.run_program(PROGRAMS / "tfi-consumer", "init")
        superset = self.start()
        self.check_listeners(superset.port)
        dashboard = superset.call("/api/v1/dashboard/plant")["result"]
        metadata = json.loads(dashboard["json_metadata"])
        self.assertEqual(metadata["refresh_frequency"], 10)
        [day_filter] = metadata["native_filter_configuration"]
        self.assertEqual(day_filter["targets"][0]["column"], {"name": "day"})
        days = {"datasource": {"id": day_filter["targets"][0]["datasetId"], "type": "table"}, "force": True,
                "queries": [{"columns": ["day"], "metrics": [], "orderby": [["day", False]]}]}

        # Nothing was produced yet.
        empty = {name: [] for name in CHARTS}
        self.expect(superset, {**empty, "Total": [[0]], "NOK": [[0]], "Share without concern": [[None]]})

        older = REFERENCE if self.has_reference else earlier_day(self.folder)
        self.replay(older)
        first_day = "2020-05-27" if self.has_reference else "2024-03-11"
        first = self.tiles(first_day)
        self.assertTrue(all(first.values()), first)
        self.expect(superset, first)
        if self.has_reference:
            self.check_reference(superset)

        # A newer day takes its place, without a change in Superset; the filter brings the older one back.
        self.replay(DAY)
        expected = json.loads((DAY / "expected.json").read_text(encoding="utf-8"))
        second = {name: [row[-len(columns):] for row in expected[view]] for name, (view, columns, _) in CHARTS.items()}
        self.assertNotEqual(first, second)
        self.expect(superset, second)
        self.expect(superset, second, "2024-03-12")
        self.expect(superset, first, first_day)
        self.assertEqual(
            [row["day"] for row in superset.call("/api/v1/chart/data", days)["result"][0]["data"]],
            ["2024-03-12", first_day])
        # A clock that is wrong: the day that it names can be chosen, and doesn't become the newest.
        self.query("INSERT INTO workshop.ucp VALUES (1, '2999-01-01 08:00', 40, 1) RETURNING 1")
        self.expect(superset, second)
        self.assertEqual(superset.rows(superset.charts()["Total"], ["sum_units"], "2999-01-01"), [[1]])
        self.assertEqual(superset.rows(superset.charts()["Total"], ["sum_units"], "2001-01-01"), [[0]])
        with self.assertRaisesRegex(AssertionError, "invalid input syntax for type date"):
            superset.rows(superset.charts()["Total"], ["sum_units"], "') OR true --")

        charts = superset.charts()
        superset.call(f"/api/v1/chart/{charts['Total']}", {"params": "{}", "slice_name": "changed"}, "PUT")
        self.assertEqual(superset.end(), 0, superset.output)
        self.assertIn("Superset has ended", superset.output)
        with self.assertRaises(OSError), socket.create_connection(("127.0.0.1", superset.port), 1):
            pass

        # Started again: another password, the charts as the bundle has them, and the other address of the database.
        self.run_program(ROOT / "scripts" / "postgres.sh", "down", self.folder / "postgres")
        port = free_port()
        settings = self.folder / "postgres" / "data" / "postgresql.auto.conf"
        settings.write_text(re.sub(r"(?m)^port = .*$", f"port = {port}", settings.read_text("utf-8")), "utf-8")
        (self.folder / "postgres" / "port").write_text(f"{port}\n", "utf-8")
        self.run_program(ROOT / "scripts" / "postgres.sh", "start", self.folder / "postgres")
        uri = re.sub(r":\d+/", f":{port}/", self.uri)
        (self.state / "uri").write_text(uri + "\n", "utf-8")
        type(self).environment = {**self.environment, "TFI_DATABASE": uri}
        again = self.start()
        self.assertNotEqual(again.password, superset.password)
        self.assertEqual(again.charts(), charts)
        self.expect(again, second)
        self.assertEqual(again.end(), 0, again.output)

    def check_reference(self, superset):
        charts = superset.charts()
        for name, text in REFERENCE_ROWS.items():
            with self.subTest(chart=name):
                rows = superset.rows(charts[name], CHARTS[name][2])
                self.assertEqual(sorted(rows), sorted(rows_of(text)))
        for name, (text, total) in REFERENCE_LARGEST.items():
            with self.subTest(chart=name):
                rows = superset.rows(charts[name], CHARTS[name][2])
                largest = rows_of(text)
                self.assertEqual(sorted(rows[:len(largest)]), sorted(largest))
                self.assertEqual(sum(row[1] for row in rows), total)

    def check_listeners(self, port):
        """Only 127.0.0.1 is listened at."""
        addresses = []
        for name in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(name).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                address, number = fields[1].split(":")
                if fields[3] == "0A" and int(number, 16) == port:
                    addresses.append(address)
        self.assertEqual(addresses, ["0100007F"])


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit("this test needs Linux")
    unittest.main(verbosity=2)
